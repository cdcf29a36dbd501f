-- indexes: a unit's members, a member's acts, and the scores of a period in order
CREATE INDEX ON mingzhang_views.rankings_{b}_member (unit, id) INCLUDE (status, since, until);
-- A unit's ranking sums from this index alone.
CREATE INDEX ON mingzhang_views.rankings_{b}_posting (member, act_date)
    INCLUDE (points, since, until) WHERE effective;
CREATE INDEX ON mingzhang_views.rankings_{b}_score (period, points DESC, member)

-- covered_units: a unit and every unit below it, as of a size
WITH RECURSIVE covered (id) AS (
    SELECT u.id FROM mingzhang_views.rankings_{b}_unit u
    WHERE u.id = %(unit)s AND u.since <= %(size)s AND u.until > %(size)s
    UNION
    SELECT u.id FROM mingzhang_views.rankings_{b}_unit u JOIN covered c ON u.parent = c.id
    WHERE u.since <= %(size)s AND u.until > %(size)s
)
SELECT u.id, u.version, u.parent, u.start::text, u.name_zh, u.name_en
FROM mingzhang_views.rankings_{b}_unit u JOIN covered c USING (id)
WHERE u.since <= %(size)s AND u.until > %(size)s

-- scores: members of units who have not left, with the sum of what counts from one day to another
SELECT m.id, m.unit, coalesce(sum(p.points), 0)::bigint
FROM mingzhang_views.rankings_{b}_member m
LEFT JOIN mingzhang_views.rankings_{b}_posting p
    ON p.member = m.id AND p.effective AND p.since <= %(size)s AND p.until > %(size)s
    AND p.act_date BETWEEN %(first)s::date AND %(last)s::date
WHERE m.unit = ANY(%(units)s) AND m.status <> 'left'
    AND m.since <= %(size)s AND m.until > %(size)s
GROUP BY m.id, m.unit

-- few_members: whether units have no more members than a number
SELECT count(*) <= %(few)s FROM (
    SELECT FROM mingzhang_views.rankings_{b}_member m
    WHERE m.unit = ANY(%(units)s) AND m.until = 9223372036854775807 AND m.status <> 'left'
    LIMIT %(few)s + 1
) AS found

-- scored_page: members of units with other points than none in a period, of one sign, best first
SELECT m.id, m.unit, s.points
FROM mingzhang_views.rankings_{b}_score s
JOIN mingzhang_views.rankings_{b}_member m
    ON m.id = s.member AND m.until = 9223372036854775807
WHERE s.period = %(period)s AND m.unit = ANY(%(units)s) AND m.status <> 'left'
    AND s.points <= %(most)s AND s.points >= %(least)s
    AND (s.points < %(score)s OR s.points = %(score)s AND s.member > %(member)s)
ORDER BY s.points DESC, s.member
LIMIT %(limit)s

-- unscored_page: members of units without points in a period, by id
SELECT m.id, m.unit, 0::bigint
FROM mingzhang_views.rankings_{b}_member m
WHERE m.until = 9223372036854775807 AND m.unit = ANY(%(units)s) AND m.status <> 'left'
    AND m.id > %(member)s
    AND NOT EXISTS (
        SELECT FROM mingzhang_views.rankings_{b}_score s
        WHERE s.period = %(period)s AND s.member = m.id AND s.points <> 0
    )
ORDER BY m.id
LIMIT %(limit)s
