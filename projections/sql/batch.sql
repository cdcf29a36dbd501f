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

-- add_rows: versions of rows
INSERT INTO mingzhang_views.{table} ({names}, since, until)
SELECT {names}, since, until FROM json_populate_recordset(NULL::mingzhang_views.{table}, %s::json)

-- drop_newest_rows: rows of a table without a past that are no more
DELETE FROM mingzhang_views.{table} AS t
USING json_populate_recordset(NULL::mingzhang_views.{table}, %s::json) AS wanted WHERE {same}

-- save_newest_rows: insert rows of a table without a past, or replace those with their keys
INSERT INTO mingzhang_views.{table} ({names}, since)
SELECT {names}, since FROM json_populate_recordset(NULL::mingzhang_views.{table}, %s::json)
ON CONFLICT ({key}) DO UPDATE SET ({names}, since) = ROW ({excluded}, EXCLUDED.since)
