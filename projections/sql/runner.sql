-- set_up_lock: only one process at a time makes tables
SELECT pg_advisory_xact_lock(hashtext('mingzhang_views'))

-- create_progress: how far each version of each read model has folded the log
CREATE TABLE IF NOT EXISTS mingzhang_views.progress (
    model       text    COLLATE "C",
    version     integer,
    size        bigint  NOT NULL CHECK (size >= 0),
    recorded_at text    NOT NULL COLLATE "C",
    PRIMARY KEY (model, version)
)

-- add_progress: start a read model at the log's beginning; no row if it has begun already
INSERT INTO mingzhang_views.progress (model, version, size, recorded_at) VALUES (%s, %s, 0, '')
ON CONFLICT DO NOTHING RETURNING model

-- get_progress: how far a read model is
SELECT size, recorded_at FROM mingzhang_views.progress WHERE model = %s AND version = %s

-- lock_progress: how far read models are, held until the transaction ends
SELECT p.model, p.size
FROM mingzhang_views.progress p
JOIN unnest(%s::text[], %s::integer[]) AS wanted (model, version) USING (model, version)
ORDER BY p.model
FOR UPDATE OF p

-- move_progress: a read model has folded everything below a size
UPDATE mingzhang_views.progress SET size = %s, recorded_at = %s WHERE model = %s AND version = %s

-- forget_sync: rows and their position are lost together or not at all, so none need wait for disk
SET LOCAL synchronous_commit = off

-- entries: committed entries of a range, as many as fit a number of bytes and one at least
SELECT e.index, e.state FROM (
    SELECT index, state, sum(octet_length(state)) OVER (ORDER BY index) AS bytes
    FROM mingzhang.entry WHERE index >= %s AND index < %s
) AS e
WHERE e.bytes - octet_length(e.state) < %s
ORDER BY e.index

-- load_rows: the rows of a table with the given keys
SELECT {columns} FROM mingzhang_views.{table} AS t
JOIN json_populate_recordset(NULL::mingzhang_views.{table}, %s::json) AS wanted USING ({key})

-- save_rows: insert rows, or replace those with their keys
INSERT INTO mingzhang_views.{table} ({names})
SELECT {names} FROM json_populate_recordset(NULL::mingzhang_views.{table}, %s::json)
ON CONFLICT ({key}) DO UPDATE SET ({names}) = ROW ({excluded})

-- snapshot: all that a query reads is of one position
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- listen: be woken when a checkpoint is recorded
LISTEN mingzhang_checkpoint
