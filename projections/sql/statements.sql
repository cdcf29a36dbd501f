-- indexes: a member's steps in order
CREATE INDEX ON mingzhang_views.statements_{b}_step (member, seq)

-- member: a member and the unit that it belongs to, as of a size
SELECT m.id, m.version, m.unit, m.member_type, m.actor, m.status,
    u.id, u.version, u.parent, u.start::text, u.name_zh, u.name_en
FROM mingzhang_views.statements_{b}_member m
JOIN mingzhang_views.statements_{b}_unit u
    ON u.id = m.unit AND u.since <= %(size)s AND u.until > %(size)s
WHERE m.id = %(member)s AND m.since <= %(size)s AND m.until > %(size)s

-- steps: a member's points entries with the names of their items, in order of recording
SELECT s.id::text, s.member, s.seq, s.log_index, s.recorded_at, s.type, s.rulebook, s.version, s.item,
    s.act_date::text, s.points, s.change, s.reverses::text, s.reversed_by::text,
    i.name_zh, i.name_en
FROM mingzhang_views.statements_{b}_step s
LEFT JOIN mingzhang_views.statements_{b}_item i
    ON i.rulebook = s.rulebook AND i.version = s.version AND i.code = s.item
    AND i.since <= %(size)s AND i.until > %(size)s
WHERE s.member = %(member)s AND s.since <= %(size)s AND s.until > %(size)s
ORDER BY s.seq
