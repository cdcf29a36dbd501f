-- forget_sync: rows and their position are lost together or not at all, so none need wait for disk
SET LOCAL synchronous_commit = off

-- entries: committed entries of a range, as many as fit a number of bytes and one at least
SELECT e.index, e.state FROM (
    SELECT index, state, sum(octet_length(state)) OVER (ORDER BY index) AS bytes
    FROM mingzhang.entry WHERE index >= %s AND index < %s
) AS e
WHERE e.bytes - octet_length(e.state) < %s
ORDER BY e.index

-- entries_at: the entries of the given indexes
SELECT index, state FROM mingzhang.entry WHERE index = ANY(%s) ORDER BY index

-- listen: be woken when a checkpoint is recorded
LISTEN mingzhang_checkpoint
