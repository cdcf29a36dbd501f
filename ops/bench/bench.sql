-- create_library: a database for the plain library
CREATE DATABASE library

-- create_views: a database for the read models
CREATE DATABASE views

-- create_proofs: a database for the synthetic log
CREATE DATABASE proofs

-- grow: synthetic entries first ≤ index < last, as one batch through the trigger
INSERT INTO mingzhang.entry (index, stream, seq, type, id, state, expected, note)
SELECT i, 'member/m-' || i %% 1000, i / 1000 + 1, 'points.awarded',
       ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
       convert_to('synthetic entry ' || i || repeat('.', 80), 'UTF8'),
       CASE WHEN i = %(first)s THEN h.leaf END,
       CASE WHEN i = %(first)s AND i > 0 THEN '\x00'::bytea END
FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) AS i, mingzhang.head h

-- note: something in a signed checkpoint's place, for readers to go by its size
SELECT mingzhang.keep_note(%(size)s, '\x00'::bytea)

-- analyse: what the server does by itself for a log that grows slowly
ANALYZE mingzhang.entry, mingzhang.tile
