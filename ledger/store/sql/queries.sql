-- head: committed size and last leaf hash
SELECT size, leaf FROM mingzhang.head

-- insert_entry: a batch of one row, read back in the same trip
INSERT INTO mingzhang.entry (index, stream, seq, type, id, state, expected, note)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
RETURNING state, leaf

-- copy_entries: a batch of many rows, in the binary format
COPY mingzhang.entry (index, stream, seq, type, id, state, expected, note)
FROM STDIN (FORMAT binary)

-- read_entries: committed entries of a range, with their leaf hashes
SELECT state, leaf FROM mingzhang.entry WHERE index >= %s AND index < %s ORDER BY index

-- find_ids: where statements are recorded
SELECT id::text, index, state FROM mingzhang.entry WHERE id = ANY(%s::uuid[])

-- stream_heads: the last entry of each stream below a size, its hash taken from its bytes
SELECT wanted.stream, last.seq, sha256('\x00'::bytea || last.state)
FROM unnest(%s::text[]) AS wanted (stream)
CROSS JOIN LATERAL (
    SELECT e.seq, e.state FROM mingzhang.entry e
    WHERE e.stream = wanted.stream AND e.index < %s
    ORDER BY e.seq DESC LIMIT 1
) AS last

-- stream_entries: a stream below a size, after a seq
SELECT index, state FROM mingzhang.entry
WHERE stream = %s AND seq > %s AND index < %s ORDER BY seq LIMIT %s

-- structural_entries: what decisions depend on, apart from points
SELECT index, state FROM mingzhang.entry
WHERE index >= %s AND index < %s AND type NOT LIKE 'points.%%' ORDER BY index

-- typed_entries: entries of some types, none of which is about points
SELECT index, state FROM mingzhang.entry
WHERE index >= %s AND index < %s AND type NOT LIKE 'points.%%' AND type = ANY(%s::text[])
ORDER BY index

-- newest_note: the signed checkpoint of the largest size
SELECT size, note FROM mingzhang.checkpoint ORDER BY size DESC LIMIT 1

-- note_covering: the first signed checkpoint, by size, that covers an index
SELECT size, note FROM mingzhang.checkpoint WHERE size > %s ORDER BY size LIMIT 1

-- keep_note: record the newest note when no append carries it
SELECT mingzhang.keep_note(%s, %s)

-- confirm: a commit that waits for the standbys; without any, what can be read is flushed already
SELECT pg_logical_emit_message(true, 'mingzhang', 'confirm')
WHERE current_setting('synchronous_standby_names') <> ''

-- leaf_hashes: leaf hashes of a range
SELECT leaf FROM mingzhang.entry WHERE index >= %s AND index < %s ORDER BY index

-- tile_roots: roots of stored full tiles of a level
SELECT n, root FROM mingzhang.tile WHERE level = %s AND n >= %s AND n < %s ORDER BY n

-- tile_data: a stored full tile
SELECT data FROM mingzhang.tile WHERE level = %s AND n = %s

-- tile_next: how many full tiles of a level are stored without a gap from the newest down
SELECT coalesce(max(n) + 1, 0) FROM mingzhang.tile WHERE level = %s

-- insert_tile: keep a full tile with its subtree's root
INSERT INTO mingzhang.tile (level, n, data, root) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- library_events: entries of a stream for the eventsourcing library, below a size
SELECT stream, seq, type, state FROM mingzhang.entry
WHERE stream = %(stream)s AND seq > %(gt)s AND seq <= %(lte)s AND index < %(end)s
ORDER BY seq LIMIT %(limit)s

-- library_events_desc: the same, newest first
SELECT stream, seq, type, state FROM mingzhang.entry
WHERE stream = %(stream)s AND seq > %(gt)s AND seq <= %(lte)s AND index < %(end)s
ORDER BY seq DESC LIMIT %(limit)s

-- library_notifications: a range of the log for the library, of some types only where named
SELECT index + 1 AS id, stream, seq, type, state FROM mingzhang.entry
WHERE index >= %(start)s AND index < %(end)s
  AND (%(topics)s::text[] IS NULL OR type = ANY(%(topics)s::text[]))
ORDER BY index LIMIT %(limit)s

-- library_max_notification: the library's ids are indexes plus one
SELECT max(index) + 1 AS max FROM mingzhang.entry WHERE index < %(end)s

-- library_head: the head, with the note of its size where that is recorded
SELECT h.size, h.leaf, c.note
FROM mingzhang.head h LEFT JOIN mingzhang.checkpoint c ON c.size = h.size

-- library_insert: a batch of any length behind the head that its writer saw
INSERT INTO mingzhang.entry (index, stream, seq, type, id, state, expected, note)
SELECT %(size)s + n - 1, stream, seq, type, id, state,
       CASE n WHEN 1 THEN %(leaf)s::bytea END, CASE n WHEN 1 THEN %(note)s::bytea END
FROM unnest(
    %(streams)s::text[], %(seqs)s::bigint[], %(types)s::text[], %(ids)s::uuid[], %(states)s::bytea[]
) WITH ORDINALITY AS batch (stream, seq, type, id, state, n)
ORDER BY n

-- signed_size: how many entries the newest recorded checkpoint covers
SELECT coalesce(max(size), 0) AS size FROM mingzhang.checkpoint

-- database_exists: whether a database of that name is there
SELECT 1 FROM pg_database WHERE datname = %s

-- current_user: who is connected
SELECT current_user

-- setting: a server setting as this connection has it
SELECT current_setting(%s, true)

-- service_rights: what the service needs, each true or false
SELECT has_schema_privilege('mingzhang', 'USAGE'),
       has_table_privilege('mingzhang.entry', 'SELECT'),
       has_table_privilege('mingzhang.head', 'SELECT'),
       has_table_privilege('mingzhang.checkpoint', 'SELECT'),
       has_table_privilege('mingzhang.tile', 'SELECT'),
       has_table_privilege('mingzhang.entry', 'INSERT'),
       has_table_privilege('mingzhang.tile', 'INSERT'),
       has_function_privilege('mingzhang.keep_note(bigint, bytea)', 'EXECUTE'),
       has_schema_privilege('mingzhang_views', 'CREATE')

-- lock_migrations: until the end of the transaction
SELECT pg_advisory_xact_lock(7305808869229538921)

-- create_role: the role that the ledger's processes work as; roles are shared by all databases
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mingzhang_service') THEN
        CREATE ROLE mingzhang_service LOGIN;
    END IF;
    IF NOT pg_has_role('mingzhang_service', 'MEMBER') THEN
        GRANT mingzhang_service TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$

-- migrated_once: whether the schema is there
SELECT to_regclass('mingzhang.migration') IS NOT NULL

-- applied_migrations: number and digest of each
SELECT number, digest FROM mingzhang.migration ORDER BY number

-- record_migration: one file was applied
INSERT INTO mingzhang.migration (number, name, digest) VALUES (%s, %s, %s)

-- delete_tiles: before they are derived again
DELETE FROM mingzhang.tile

-- put_content: keep bytes under their plain digest, once
INSERT INTO mingzhang_documents.content (digest, data) VALUES (%s, %s) ON CONFLICT DO NOTHING

-- put_document: keep a commitment to them
INSERT INTO mingzhang_documents.document (commitment, kind, salt, digest) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- get_document: a document, or the stub that is left of it
SELECT d.kind, d.stored_at, d.salt, c.data, d.erased_at, d.erased_by::text
FROM mingzhang_documents.document d LEFT JOIN mingzhang_documents.content c USING (digest)
WHERE d.commitment = %s

-- known_documents: what is known of commitments, without bytes or salts
SELECT d.commitment, d.kind, d.stored_at, d.digest, octet_length(c.data)::bigint,
    CASE WHEN d.digest IS NULL THEN 0 ELSE
        (SELECT count(*) FROM mingzhang_documents.document o WHERE o.digest = d.digest)
    END, d.erased_by::text
FROM mingzhang_documents.document d LEFT JOIN mingzhang_documents.content c USING (digest)
WHERE d.commitment = ANY(%s)

-- same_documents: the other commitments to the same bytes, oldest first
SELECT o.commitment FROM mingzhang_documents.document d
JOIN mingzhang_documents.document o ON o.digest = d.digest AND o.commitment <> d.commitment
WHERE d.commitment = %s ORDER BY o.stored_at, o.commitment

-- documents_of: what is kept of some kinds
SELECT commitment, kind FROM mingzhang_documents.document
WHERE kind = ANY(%s::text[]) AND erased_by IS NULL

-- put_cosignature: keep what a witness said of a recorded checkpoint
INSERT INTO mingzhang.cosignature (size, name, key_id, time, line) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- cosignatures: all of a size, oldest first
SELECT name, key_id, time, line FROM mingzhang.cosignature WHERE size = %s ORDER BY time, name

-- newest_cosignatures: the newest of each of a size, by the witness's name
SELECT DISTINCT ON (name, key_id) line FROM mingzhang.cosignature
WHERE size = %s ORDER BY name, key_id, time DESC

-- cosigned_sizes: the newest sizes that have any, with their notes
SELECT size, note FROM mingzhang.checkpoint
WHERE size IN (SELECT DISTINCT size FROM mingzhang.cosignature ORDER BY size DESC LIMIT %s)
ORDER BY size DESC

-- last_cosigned: of each witness the largest size that it cosigned, and when last
SELECT DISTINCT ON (name, key_id) name, key_id, size, time FROM mingzhang.cosignature
ORDER BY name, key_id, size DESC, time DESC

-- last_of_type: the newest entry of a type in a stream, below a size
SELECT index, state FROM mingzhang.entry
WHERE stream = %s AND type = %s AND index < %s ORDER BY seq DESC LIMIT 1

-- any_of_other_type: whether a range holds an entry of another type than one
SELECT EXISTS (
    SELECT FROM mingzhang.entry WHERE index >= %s AND index < %s AND type <> %s
)

-- beat: a serving process is up; the time is its own clock's
INSERT INTO mingzhang.heartbeat (at) VALUES (%s)
ON CONFLICT (one) DO UPDATE SET at = greatest(heartbeat.at, EXCLUDED.at)

-- last_beat: when one was last up
SELECT at FROM mingzhang.heartbeat

-- note_at: the signed checkpoint of a size
SELECT note FROM mingzhang.checkpoint WHERE size = %s

-- put_timestamp: keep a TSA's token on a checkpoint, the first one
INSERT INTO mingzhang.timestamp_token (size, tsa, token) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING

-- timestamps: which tokens are kept up to a size
SELECT size, tsa FROM mingzhang.timestamp_token WHERE size <= %s ORDER BY size, tsa

-- timestamp: one token, with the note that it stamps
SELECT c.note, t.token FROM mingzhang.timestamp_token t
JOIN mingzhang.checkpoint c USING (size) WHERE t.size = %s AND t.tsa = %s

-- put_case: keep what a dispute's commitments stand for
INSERT INTO mingzhang_cases.filed
    (dispute, envelope, envelope_salt, target, target_salt, filer, member)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING

-- open_case: show a case, after writing who opened it and why
SELECT envelope, envelope_salt, target, target_salt, filer, member, stored_at
FROM mingzhang_cases.open_case(%s, %s, %s)

-- case_access: who opened confidential cases, newest first
SELECT number, dispute, actor, purpose, opened_at FROM mingzhang_cases.access
WHERE (%(dispute)s::text IS NULL OR dispute = %(dispute)s)
    AND (%(before)s::bigint IS NULL OR number < %(before)s)
ORDER BY number DESC LIMIT %(limit)s

-- put_look: write down who looked at a member's record, and by which question
INSERT INTO mingzhang_cases.look (member, actor, question) VALUES (%s, %s, %s)

-- looks: who looked at a member's record, newest first
SELECT number, member, actor, question, looked_at FROM mingzhang_cases.look
WHERE member = %(member)s AND (%(before)s::bigint IS NULL OR number < %(before)s)
ORDER BY number DESC LIMIT %(limit)s
