-- snapshot: all that a query reads is of one position
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- signed_size: how far the log may be read
SELECT coalesce(max(size), 0) FROM mingzhang.checkpoint

-- entry: the bytes of an entry
SELECT state FROM mingzhang.entry WHERE index = %s

-- table: the rows of a table as of a size
SELECT {columns} FROM mingzhang_views.{table}
WHERE since <= %(size)s AND until > %(size)s ORDER BY {key}

-- newest_table: the rows of a table without a past
SELECT {columns} FROM mingzhang_views.{table} ORDER BY {key}

-- entries: the log below a size
SELECT index, state, leaf FROM mingzhang.entry WHERE index < %(size)s ORDER BY index
