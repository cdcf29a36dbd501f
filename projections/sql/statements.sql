-- indexes: a member's entries, and the statements of an entry
CREATE INDEX ON mingzhang_views.statements_{b}_frame (since);
CREATE INDEX ON mingzhang_views.statements_{b}_entry (member);
CREATE INDEX ON mingzhang_views.statements_{b}_entry (since, until) WHERE state = 'published';
CREATE INDEX ON mingzhang_views.statements_{b}_step (entry);
CREATE INDEX ON mingzhang_views.statements_{b}_role (actor)

-- frame: the statements about units, rulebooks and periods below a size
SELECT stream, seq, log_index, recorded_at, type, id::text, body
FROM mingzhang_views.statements_{b}_frame WHERE since <= %(size)s ORDER BY log_index

-- frame_head: from which size on they stand
SELECT coalesce(max(since), 0) FROM mingzhang_views.statements_{b}_frame WHERE since <= %(size)s

-- member: a member as of a size
SELECT m.id, m.version, m.unit, m.member_type, m.actor, m.status, m.moves, m.stays, m.away,
    m.left_on::text, m.vetoes
FROM mingzhang_views.statements_{b}_member m
WHERE m.id = %(member)s AND m.since <= %(size)s AND m.until > %(size)s

-- entries: a member's entries as of a size
SELECT e.id::text, e.member, e.seq, e.log_index, e.kind, e.origin, e.rulebook, e.version, e.item,
    e.account, e.act_date::text, e.quantity, e.points, e.state, e.state_since, e.closes::text,
    e.final_at, e.final_index, e.reverses::text, e.reversed_by::text, e.half_stream, e.half::text,
    e.whole
FROM mingzhang_views.statements_{b}_entry e
WHERE e.member = %(member)s AND e.since <= %(size)s AND e.until > %(size)s

-- entries_by_id: the same of entries by id
SELECT e.id::text, e.member, e.seq, e.log_index, e.kind, e.origin, e.rulebook, e.version, e.item,
    e.account, e.act_date::text, e.quantity, e.points, e.state, e.state_since, e.closes::text,
    e.final_at, e.final_index, e.reverses::text, e.reversed_by::text, e.half_stream, e.half::text,
    e.whole
FROM mingzhang_views.statements_{b}_entry e
WHERE e.id = ANY(%(ids)s::uuid[]) AND e.since <= %(size)s AND e.until > %(size)s

-- in_publicity: all entries in publicity as of a size
SELECT e.id::text, e.member, e.seq, e.log_index, e.kind, e.origin, e.rulebook, e.version, e.item,
    e.account, e.act_date::text, e.quantity, e.points, e.state, e.state_since, e.closes::text,
    e.final_at, e.final_index, e.reverses::text, e.reversed_by::text, e.half_stream, e.half::text,
    e.whole
FROM mingzhang_views.statements_{b}_entry e
WHERE e.state = 'published' AND e.since <= %(size)s AND e.until > %(size)s

-- some_members: members by id as of a size
SELECT m.id, m.version, m.unit, m.member_type, m.actor, m.status, m.moves, m.stays, m.away,
    m.left_on::text, m.vetoes
FROM mingzhang_views.statements_{b}_member m
WHERE m.id = ANY(%(members)s) AND m.since <= %(size)s AND m.until > %(size)s

-- steps: the statements of entries' ways
SELECT s.id::text, s.entry::text, s.member, s.log_index, s.recorded_at, s.type, s.actor, s.keyids
FROM mingzhang_views.statements_{b}_step s
WHERE s.entry = ANY(%(ids)s::uuid[]) AND s.since <= %(size)s AND s.until > %(size)s

-- keys: whose keys are
SELECT k.id, k.actor FROM mingzhang_views.statements_{b}_key k
WHERE k.id = ANY(%(ids)s) AND k.since <= %(size)s AND k.until > %(size)s

-- roles: the roles that actors held or hold
SELECT r.actor, r.role, r.unit, r.granted, r.revoked FROM mingzhang_views.statements_{b}_role r
WHERE r.actor = ANY(%(actors)s) AND r.since <= %(size)s AND r.until > %(size)s

-- signed_by: the steps that keys signed
SELECT k.id, s.id::text, s.log_index, s.recorded_at
FROM unnest(%(keyids)s::text[]) AS k (id)
JOIN mingzhang_views.statements_{b}_step s ON k.id = ANY(string_to_array(s.keyids, ','))
WHERE s.since <= %(size)s AND s.until > %(size)s
ORDER BY s.log_index
