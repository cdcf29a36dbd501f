-- forget_sync: rows and their position are lost together or not at all, so none need wait for disk
SET LOCAL synchronous_commit = off

-- entries: committed entries of a range
SELECT index, state FROM mingzhang.entry WHERE index >= %s AND index < %s ORDER BY index

-- entries_at: the entries of the given indexes
SELECT index, state FROM mingzhang.entry WHERE index = ANY(%s) ORDER BY index

-- listen: be woken when a checkpoint is recorded
LISTEN mingzhang_checkpoint
