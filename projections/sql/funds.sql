-- indexes: the moves of a fund, and of a member
CREATE INDEX ON mingzhang_views.funds_{b}_move (fund, log_index);
CREATE INDEX ON mingzhang_views.funds_{b}_move (member)

-- funds: every fund, as of a size
SELECT f.id, f.version, f.unit, f.endowed, f.redeemed, f.stock
FROM mingzhang_views.funds_{b}_fund f
WHERE f.since <= %(size)s AND f.until > %(size)s
ORDER BY f.id COLLATE "C"

-- fund: one fund, as of a size
SELECT f.id, f.version, f.unit, f.endowed, f.redeemed, f.stock
FROM mingzhang_views.funds_{b}_fund f
WHERE f.id = %(fund)s AND f.since <= %(size)s AND f.until > %(size)s

-- moves: the moves of a fund, in order
SELECT m.id::text, m.fund, m.log_index, m.recorded_at, m.kind, m.points, m.member, m.reversed
FROM mingzhang_views.funds_{b}_move m
WHERE m.fund = %(fund)s AND m.since <= %(size)s AND m.until > %(size)s
ORDER BY m.log_index
