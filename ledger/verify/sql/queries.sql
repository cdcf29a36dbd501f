-- new_place: the beginning of a log
INSERT INTO place (one, vkey, size, recorded_at, tree) VALUES (1, ?, 0, '', ?)

-- place: where we are
SELECT vkey, size, recorded_at, tree, stale_since, trouble FROM place

-- move: everything up to a size is checked
UPDATE place SET size = ?, recorded_at = ?, tree = ?

-- stale: since when an older checkpoint is shown
UPDATE place SET stale_since = ?

-- trouble: why the last pass could not check
UPDATE place SET trouble = ?

-- see: keep a signed checkpoint
INSERT INTO seen (size, root, note, seen_at) VALUES (?, ?, ?, ?)

-- seen_newest: the newest checkpoint seen
SELECT size, root, note FROM seen ORDER BY size DESC LIMIT 1

-- seen_at: the checkpoint of a size
SELECT size, root, note FROM seen WHERE size = ?

-- heads: the last entry of every stream
SELECT stream, head FROM head

-- put_head: the last entry of a stream
INSERT INTO head (stream, head) VALUES (?, ?)
ON CONFLICT (stream) DO UPDATE SET head = excluded.head

-- kept: what later decisions depend on, in the order of the log
SELECT log_index, record FROM kept ORDER BY log_index

-- keep: an entry that later decisions depend on
INSERT INTO kept (log_index, record) VALUES (?, ?)

-- use: a statement id, once
INSERT INTO used (id) VALUES (?) ON CONFLICT DO NOTHING

-- put_event: an event of a member's account
INSERT INTO account_event (stream, seq, packed) VALUES (?, ?, ?)

-- events: those of one account, in their order
SELECT packed FROM account_event WHERE stream = ? ORDER BY seq

-- find: keep a finding, unless the same one is open
INSERT INTO finding (name, evidence) VALUES (?, ?)
ON CONFLICT (name) WHERE acknowledged_at IS NULL DO NOTHING

-- findings: what nobody has looked at yet
SELECT id, evidence FROM finding WHERE acknowledged_at IS NULL ORDER BY id

-- acknowledge: somebody has
UPDATE finding SET acknowledged_at = ? WHERE acknowledged_at IS NULL

-- post: a report for the webhook
INSERT INTO outbox (body) VALUES (?)

-- posts: reports in their order
SELECT id, body FROM outbox ORDER BY id LIMIT ?

-- posted: the webhook has confirmed a report
DELETE FROM outbox WHERE id = ?

-- hear: keep the newest word of a witness
INSERT INTO cosigned (name, key_id, time, line) VALUES (?, ?, ?, ?)
ON CONFLICT (name, key_id) DO UPDATE SET time = excluded.time, line = excluded.line
WHERE excluded.time > time

-- heard: the newest word of every witness
SELECT name, key_id, time, line FROM cosigned

-- witnesses_state: what was last said of them
SELECT state FROM witnesses

-- set_witnesses_state: what is said of them now
UPDATE witnesses SET state = ?
