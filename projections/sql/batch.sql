-- load_rows: the rows of a table with the given keys as they stand now, and since when
SELECT {columns}, t.since FROM mingzhang_views.{table} AS t
JOIN json_populate_recordset(NULL::mingzhang_views.{table}, %s::json) AS wanted ON {same}
WHERE t.until = 9223372036854775807

-- load_newest_rows: the same of a table without a past
SELECT {columns}, t.since FROM mingzhang_views.{table} AS t
JOIN json_populate_recordset(NULL::mingzhang_views.{table}, %s::json) AS wanted ON {same}

-- load_groups: the rows of a table whose group is one of the given, as they stand now
SELECT {columns}, t.since FROM mingzhang_views.{table} AS t
WHERE t.{group} = ANY(%s) AND t.until = 9223372036854775807

-- load_newest_groups: the same of a table without a past
SELECT {columns}, t.since FROM mingzhang_views.{table} AS t WHERE t.{group} = ANY(%s)

-- load_whole: all rows of a table as they stand now
SELECT {columns}, t.since FROM mingzhang_views.{table} AS t WHERE t.until = 9223372036854775807

-- end_rows: what stands now ends at a size
UPDATE mingzhang_views.{table} AS t SET until = wanted.until
FROM json_populate_recordset(NULL::mingzhang_views.{table}, %s::json) AS wanted
WHERE {same} AND t.until = 9223372036854775807

-- drop_rows: rows of a table without a past that are no more, or are put anew
DELETE FROM mingzhang_views.{table} AS t
USING json_populate_recordset(NULL::mingzhang_views.{table}, %s::json) AS wanted WHERE {same}

-- add_rows: versions of rows
COPY mingzhang_views.{table} ({names}, since, until) FROM STDIN

-- add_newest: rows of a table without a past
COPY mingzhang_views.{table} ({names}, since) FROM STDIN
