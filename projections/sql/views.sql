-- snapshot: all that a query reads is of one position
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- signed_size: how far the log may be read
SELECT coalesce(max(size), 0) FROM mingzhang.checkpoint

-- entry: the bytes of an entry
SELECT state FROM mingzhang.entry WHERE index = %s
