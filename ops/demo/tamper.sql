-- keep_original: copies of everything that will be changed
CREATE SCHEMA original;
CREATE TABLE original.entry AS SELECT index, state, expected, note FROM mingzhang.entry;
CREATE TABLE original.head AS TABLE mingzhang.head;
CREATE TABLE original.checkpoint AS TABLE mingzhang.checkpoint;
CREATE TABLE original.tile AS TABLE mingzhang.tile

-- past_triggers: what only a superuser may do, and what no trigger of the log survives
SET session_replication_role = replica

-- stream_from: an entry and all after it in its stream
SELECT e.index, e.state FROM mingzhang.entry e
JOIN mingzhang.entry first ON first.stream = e.stream AND first.seq <= e.seq
WHERE first.index = %s ORDER BY e.seq

-- put_state: other bytes for an entry; the database derives the leaf hash again
UPDATE mingzhang.entry SET state = %s WHERE index = %s

-- leaf_hashes: of the whole log
SELECT leaf FROM mingzhang.entry ORDER BY index

-- sizes: those that have a signed note
SELECT size FROM mingzhang.checkpoint ORDER BY size

-- put_note: another note of a size
UPDATE mingzhang.checkpoint SET note = %s WHERE size = %s

-- newest_note: of the largest size
SELECT note FROM mingzhang.checkpoint ORDER BY size DESC LIMIT 1

-- drop_tiles: they are derived again
DELETE FROM mingzhang.tile

-- mend_batches: what the first row of each batch says of the entry before it, and the head
UPDATE mingzhang.entry e SET expected = before.leaf FROM mingzhang.entry before
WHERE before.index = e.index - 1 AND e.expected IS DISTINCT FROM before.leaf
  AND e.expected IS NOT NULL;
UPDATE mingzhang.entry e SET note = c.note FROM mingzhang.checkpoint c
WHERE c.size = e.index AND e.note IS DISTINCT FROM c.note AND e.note IS NOT NULL;
UPDATE mingzhang.head h SET leaf = e.leaf FROM mingzhang.entry e WHERE e.index = h.size - 1

-- restore: every byte as it was
UPDATE mingzhang.entry e SET state = o.state, expected = o.expected, note = o.note
FROM original.entry o WHERE o.index = e.index
  AND (o.state, o.expected, o.note) IS DISTINCT FROM (e.state, e.expected, e.note);
UPDATE mingzhang.head h SET leaf = o.leaf FROM original.head o WHERE o.size = h.size;
UPDATE mingzhang.checkpoint c SET note = o.note FROM original.checkpoint o WHERE o.size = c.size;
DELETE FROM mingzhang.tile;
INSERT INTO mingzhang.tile TABLE original.tile

-- forget_original: the copies have served
DROP SCHEMA original CASCADE
