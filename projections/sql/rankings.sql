-- indexes: a unit's members, a member's acts, and the figures of a year in order
CREATE INDEX ON mingzhang_views.rankings_{b}_member (unit, id) INCLUDE (status, since, until);
CREATE INDEX ON mingzhang_views.rankings_{b}_member (id) WHERE moves > 0;
CREATE INDEX ON mingzhang_views.rankings_{b}_frame (since);
CREATE INDEX ON mingzhang_views.rankings_{b}_act (member);
CREATE INDEX ON mingzhang_views.rankings_{b}_score (unit, rulebook, year);
CREATE INDEX ON mingzhang_views.rankings_{b}_score (rulebook, year, daily DESC, member)
    INCLUDE (unit, member_type, band, from_month, until_month, veto) WHERE place = 'ranked';
CREATE INDEX ON mingzhang_views.rankings_{b}_score (rulebook, year, annual DESC, member)
    INCLUDE (unit, member_type, grade, veto)
    WHERE place = 'ranked' AND annual IS NOT NULL AND until_month = 13;
CREATE INDEX ON mingzhang_views.rankings_{b}_score (rulebook, year, member)
    INCLUDE (unit, place) WHERE place <> 'ranked';
CREATE INDEX ON mingzhang_views.rankings_{b}_score (rulebook, year, member)
    INCLUDE (unit, member_type) WHERE place = 'ranked' AND annual IS NULL AND until_month = 13;
CREATE INDEX ON mingzhang_views.rankings_{b}_reach (rulebook, scored_to, left_on);
ALTER TABLE mingzhang_views.rankings_{b}_score SET (fillfactor = 80)

-- frame: the statements about units, rulebooks and periods below a size
SELECT stream, seq, log_index, recorded_at, type, id::text, body
FROM mingzhang_views.rankings_{b}_frame WHERE since <= %(size)s ORDER BY log_index

-- frame_head: from which size on they stand
SELECT coalesce(max(since), 0) FROM mingzhang_views.rankings_{b}_frame WHERE since <= %(size)s

-- members: who is in units as of a size, and who has ever moved
SELECT m.id, m.version, m.unit, m.member_type, m.actor, m.status, m.moves, m.stays, m.away,
    m.left_on::text, m.vetoes
FROM mingzhang_views.rankings_{b}_member m
WHERE (m.unit = ANY(%(units)s) OR m.moves > 0) AND m.since <= %(size)s AND m.until > %(size)s

-- heads: the last entry of each member's stream below a size
SELECT m.id, e.seq, encode(e.leaf, 'hex')
FROM unnest(%(members)s::text[]) AS m (id)
CROSS JOIN LATERAL (
    SELECT seq, leaf FROM mingzhang.entry
    WHERE stream = 'member/' || m.id AND index < %(size)s
    ORDER BY seq DESC LIMIT 1
) AS e

-- acts: the acts of members as of a size
SELECT a.id::text, a.member, a.rulebook, a.version, a.kind, a.origin, a.account, a.item,
    a.act_date::text, a.quantity, a.points, a.activity, a.deed, a.state, a.counts, a.final_index,
    a.reverses::text, a.reversed_by::text, a.half::text
FROM mingzhang_views.rankings_{b}_act a
WHERE a.member = ANY(%(members)s) AND a.since <= %(size)s AND a.until > %(size)s

-- many_members: whether units have more members than a number
SELECT count(*) > %(few)s FROM (
    SELECT FROM mingzhang_views.rankings_{b}_member m
    WHERE m.unit = ANY(%(units)s) AND m.until = 9223372036854775807
    LIMIT %(few)s + 1
) AS found

-- lacking: whether anybody has no figures for a year yet
SELECT true FROM mingzhang_views.rankings_{b}_reach r
WHERE r.rulebook = %(rulebook)s AND r.scored_to < %(year)s::date AND r.left_on >= %(year)s::date
LIMIT 1

-- lacking_members: those of them who are in units
SELECT m.id, m.version, m.unit, m.member_type, m.actor, m.status, m.moves, m.stays, m.away,
    m.left_on::text, m.vetoes
FROM mingzhang_views.rankings_{b}_reach r
JOIN mingzhang_views.rankings_{b}_member m ON m.id = r.member AND m.until = 9223372036854775807
WHERE r.rulebook = %(rulebook)s AND r.scored_to < %(year)s::date AND r.left_on >= %(year)s::date
    AND m.unit = ANY(%(units)s)

-- table: the figures of members of units in a table's month
SELECT s.member, s.rulebook, s.year::text, s.from_month, s.until_month, s.unit, s.member_type,
    s.standing, s.place, s.version, s.base_total, s.credit, s.category_debit, s.global_debit,
    s.lifted, s.cut, s.daily, s.review, s.annual, s.service, s.band, s.grade, s.imported,
    s.veto
FROM mingzhang_views.rankings_{b}_score s
WHERE s.unit = ANY(%(units)s) AND s.rulebook = %(rulebook)s AND s.year = %(year)s::date
    AND s.from_month <= %(month)s AND s.until_month > %(month)s

-- page_daily: members of units in a table's month by their daily figure, best first
SELECT s.member, s.unit, s.daily, s.member_type, s.band, s.veto
FROM mingzhang_views.rankings_{b}_score s
WHERE s.rulebook = %(rulebook)s AND s.year = %(year)s::date AND s.place = 'ranked'
    AND s.daily <= %(score)s AND (s.daily < %(score)s OR s.member > %(member)s)
    AND s.from_month <= %(month)s AND s.until_month > %(month)s AND s.unit = ANY(%(units)s)
    AND (%(member_type)s::text IS NULL OR s.member_type = %(member_type)s)
ORDER BY s.daily DESC, s.member
LIMIT %(limit)s

-- page_annual: the same of a whole year by their annual figure
SELECT s.member, s.unit, s.annual, s.member_type, s.grade, s.veto
FROM mingzhang_views.rankings_{b}_score s
WHERE s.rulebook = %(rulebook)s AND s.year = %(year)s::date AND s.place = 'ranked'
    AND s.annual IS NOT NULL AND s.until_month = 13
    AND s.annual <= %(score)s AND (s.annual < %(score)s OR s.member > %(member)s)
    AND s.unit = ANY(%(units)s)
    AND (%(member_type)s::text IS NULL OR s.member_type = %(member_type)s)
ORDER BY s.annual DESC, s.member
LIMIT %(limit)s

-- some_ranked: whether anybody in units is ranked in a table's month
SELECT EXISTS (
    SELECT FROM mingzhang_views.rankings_{b}_score s
    WHERE s.unit = ANY(%(units)s) AND s.rulebook = %(rulebook)s AND s.year = %(year)s::date
        AND s.from_month <= %(month)s AND s.until_month > %(month)s AND s.place = 'ranked'
)

-- asides: members of units who are not ranked in a table's month, and why
SELECT s.member, s.unit, s.place
FROM mingzhang_views.rankings_{b}_score s
WHERE s.rulebook = %(rulebook)s AND s.year = %(year)s::date AND s.place <> 'ranked'
    AND s.place = ANY(%(places)s) AND s.unit = ANY(%(units)s)
    AND s.from_month <= %(month)s AND s.until_month > %(month)s
    AND (%(member_type)s::text IS NULL OR s.member_type = %(member_type)s)
UNION ALL
SELECT s.member, s.unit, 'not_reviewed'
FROM mingzhang_views.rankings_{b}_score s
WHERE %(final)s AND s.rulebook = %(rulebook)s AND s.year = %(year)s::date AND s.place = 'ranked'
    AND s.annual IS NULL AND s.until_month = 13 AND s.unit = ANY(%(units)s)
    AND (%(member_type)s::text IS NULL OR s.member_type = %(member_type)s)
ORDER BY 1
