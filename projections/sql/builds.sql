-- set_up_lock: only one process at a time makes tables
SELECT pg_advisory_xact_lock(hashtext('mingzhang_views'))

-- rebuild_lock: only one process at a time rebuilds a read model
SELECT pg_try_advisory_lock(hashtext('mingzhang_views'), hashtext(%s))

-- first_layout: the tables of release 0.1, while its table of positions is still there
SELECT t.tablename FROM pg_tables t
WHERE t.schemaname = 'mingzhang_views'
    AND (t.tablename = 'progress' OR t.tablename ~ '^(rankings|statements)_[0-9]+_')
    AND EXISTS (
        SELECT FROM pg_tables p WHERE p.schemaname = 'mingzhang_views' AND p.tablename = 'progress'
    )

-- create: how far each build of each read model has folded the log, and what it could not fold
CREATE TABLE IF NOT EXISTS mingzhang_views.build (
    model       text    COLLATE "C",
    number      integer CHECK (number > 0),
    version     integer NOT NULL,
    size        bigint  NOT NULL DEFAULT 0 CHECK (size >= 0),
    recorded_at text    NOT NULL DEFAULT '' COLLATE "C",
    served      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS build_served ON mingzhang_views.build (model, version)
    WHERE served;
CREATE TABLE IF NOT EXISTS mingzhang_views.parked (
    model     text    COLLATE "C",
    number    integer,
    stream    text    NOT NULL COLLATE "C",
    log_index bigint,
    error     text    NOT NULL,
    message   text    NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model, number, log_index)
);
CREATE INDEX IF NOT EXISTS parked_stream ON mingzhang_views.parked (model, number, stream)

-- add_build: begin a build of a version; numbers only grow
INSERT INTO mingzhang_views.build (model, version, number)
SELECT wanted.model, wanted.version, coalesce(max(b.number), 0) + 1
FROM (SELECT %s::text, %s::integer) AS wanted (model, version)
LEFT JOIN mingzhang_views.build b USING (model)
GROUP BY wanted.model, wanted.version
RETURNING number

-- create_table: rows with the log sizes that they hold for
CREATE TABLE mingzhang_views.{table} (
    {columns}, since bigint NOT NULL, until bigint NOT NULL, PRIMARY KEY ({key})
)

-- create_newest_table: rows as they stand now, and since which log size
CREATE TABLE mingzhang_views.{table} ({columns}, since bigint NOT NULL, PRIMARY KEY ({key}))

-- comment: what a column holds
COMMENT ON COLUMN mingzhang_views.{table}.{column} IS {text}

-- of_version: the builds of a version
SELECT number FROM mingzhang_views.build WHERE model = %s AND version = %s

-- lock_followed: the builds that follow the log, held until the transaction ends
SELECT b.model, b.number, b.size, b.served
FROM mingzhang_views.build b
JOIN unnest(%s::text[], %s::integer[]) AS wanted (model, version) USING (model, version)
WHERE b.served OR NOT EXISTS (
    SELECT FROM mingzhang_views.build o
    WHERE o.model = b.model AND o.version = b.version AND (o.served OR o.number < b.number)
)
ORDER BY b.model, b.number
FOR UPDATE OF b

-- lock_version: the builds of a version, held until the transaction ends
SELECT number, size, served FROM mingzhang_views.build
WHERE model = %s AND version = %s ORDER BY number
FOR UPDATE

-- lock_one: a build, held until the transaction ends
SELECT size, served FROM mingzhang_views.build WHERE model = %s AND number = %s
FOR UPDATE

-- move: a build has folded everything below a size
UPDATE mingzhang_views.build SET size = %s, recorded_at = %s WHERE model = %s AND number = %s

-- unserve: no build of a version is served
UPDATE mingzhang_views.build SET served = false WHERE model = %s AND version = %s AND served

-- serve: a build is served
UPDATE mingzhang_views.build SET served = true WHERE model = %s AND number = %s

-- served: the served build of a version
SELECT number, size, recorded_at FROM mingzhang_views.build
WHERE model = %s AND version = %s AND served

-- positions: all builds with their lag behind a size and what they could not fold
SELECT b.model, b.version, b.number, b.served, b.size, count(p.log_index), count(DISTINCT p.stream)
FROM mingzhang_views.build b LEFT JOIN mingzhang_views.parked p USING (model, number)
GROUP BY b.model, b.number
ORDER BY b.model, b.number

-- stale: builds older than the served one of a version
SELECT b.number FROM mingzhang_views.build b
JOIN mingzhang_views.build s ON s.model = b.model AND s.served
WHERE s.model = %s AND s.version = %s
    AND (b.version < s.version OR b.version = s.version AND b.number < s.number)
ORDER BY b.number

-- unserved: builds of a version that nobody is sent to
SELECT number FROM mingzhang_views.build WHERE model = %s AND version = %s AND NOT served

-- tables_of: the tables whose names match
SELECT tablename FROM pg_tables WHERE schemaname = 'mingzhang_views' AND tablename ~ %s
ORDER BY tablename

-- lock_tables: nobody reads these tables, or nothing is done
LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE NOWAIT

-- drop_tables: drop them
DROP TABLE {tables}

-- forget: a build is no more
DELETE FROM mingzhang_views.build WHERE model = %s AND number = %s

-- forget_parked: what a build could not fold no longer matters
DELETE FROM mingzhang_views.parked WHERE model = %s AND number = %s

-- park: an entry is not folded
INSERT INTO mingzhang_views.parked (model, number, stream, log_index, error, message)
VALUES (%s, %s, %s, %s, %s, %s)

-- parked_streams: streams that a build holds only in part, below a size where one is given
SELECT DISTINCT stream FROM mingzhang_views.parked
WHERE model = %s AND number = %s AND (%s::bigint IS NULL OR log_index < %s) ORDER BY stream

-- parked_entries: a stream's parked entries, held until the transaction ends
SELECT log_index FROM mingzhang_views.parked WHERE model = %s AND number = %s AND stream = %s
ORDER BY log_index FOR UPDATE

-- unpark: a stream's entries are folded
DELETE FROM mingzhang_views.parked WHERE model = %s AND number = %s AND stream = %s

-- parked_list: what every build could not fold, the first entry of each stream
SELECT DISTINCT ON (p.model, p.number, p.stream)
    p.model, p.number, p.stream, p.log_index, p.error, p.message
FROM mingzhang_views.parked p
ORDER BY p.model, p.number, p.stream, p.log_index
