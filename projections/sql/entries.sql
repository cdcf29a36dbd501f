-- indexes: what a question may be led by, newest first; `until` tells old versions without a look
CREATE INDEX ON mingzhang_views.entries_{b}_entry (log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (unit, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (member, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (item, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (act_type, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (unit, act_date, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (item, act_date, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (act_type, act_date, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (act_date, log_index) INCLUDE (until);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (recorded_on, log_index);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (rulebook, log_index)
    WHERE until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_entry (kind, log_index)
    WHERE until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_entry (origin, log_index)
    WHERE until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_entry (state, log_index)
    WHERE until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_entry (amount, log_index)
    WHERE until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_entry (reversed, log_index)
    WHERE reversed AND until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_hand (actor, log_index, step);
CREATE INDEX ON mingzhang_views.entries_{b}_hand (actor, act_date, log_index, step);
CREATE INDEX ON mingzhang_views.entries_{b}_hand (recorded_at COLLATE "C", entry)

-- recorded_first: where the entries that were recorded from a day on begin
SELECT e.log_index FROM mingzhang_views.entries_{b}_entry e
WHERE e.recorded_on >= %(recorded_from)s::date ORDER BY e.recorded_on, e.log_index LIMIT 1

-- recorded_last: where those end that were recorded up to a day
SELECT e.log_index FROM mingzhang_views.entries_{b}_entry e
WHERE e.recorded_on <= %(recorded_to)s::date ORDER BY e.recorded_on DESC, e.log_index DESC LIMIT 1

-- walk: the newest places in the log of entries, or of hands, by a condition, in an index's order
ARRAY(
    SELECT {row}.log_index FROM mingzhang_views.entries_{b}_{table} {row}
    WHERE {condition} AND {row}.log_index >= %(first)s AND {row}.log_index < %(behind)s
    ORDER BY {row}.log_index DESC LIMIT %(depth)s
)

-- sorted_walk: the same where an index has another order: none if there are too many to sort
(WITH gathered AS MATERIALIZED (
    SELECT {row}.log_index FROM mingzhang_views.entries_{b}_{table} {row}
    WHERE {condition} AND {row}.log_index >= %(first)s AND {row}.log_index < %(behind)s
    LIMIT %(gathered_max)s + 1
)
SELECT CASE WHEN (SELECT count(*) FROM gathered) <= %(gathered_max)s
    THEN ARRAY(SELECT g.log_index FROM gathered g ORDER BY g.log_index DESC LIMIT %(depth)s) END)

-- page: entries that meet conditions, newest first, among the places of the walk that leads
-- The leading one reaches furthest back; `reached` is how far, NULL if all the way. OFFSET keeps
-- the planner from trying other ways to the entries than by these places.
WITH walked (at) AS MATERIALIZED (VALUES {walks}),
any_of (at) AS MATERIALIZED (SELECT at FROM walked {gathered}),
leader (at) AS MATERIALIZED (
    SELECT at FROM any_of
    WHERE at IS NOT NULL
    ORDER BY coalesce(at[%(depth)s], -1), cardinality(at) LIMIT 1
)
SELECT (SELECT at[%(depth)s] FROM leader) AS reached, found.*
FROM leader LEFT JOIN LATERAL (
    SELECT e.id::text, e.log_index, e.member, e.unit, e.kind, e.origin, e.rulebook, e.version,
        e.item, e.act_type, e.act_date::text, e.recorded_on::text, e.state, e.amount, e.reversed,
        e.fixed, e.packed
    FROM (
        SELECT * FROM mingzhang_views.entries_{b}_entry
        WHERE log_index = ANY(leader.at) ORDER BY log_index DESC OFFSET 0
    ) AS e
    WHERE {conditions}
    ORDER BY e.log_index DESC LIMIT %(limit)s
) AS found ON true
ORDER BY found.log_index DESC

-- gather: the first condition whose places are few enough to sort, where no walk came to its end
UNION ALL SELECT coalesce({gathers})
WHERE NOT EXISTS (SELECT FROM walked w WHERE cardinality(w.at) < %(depth)s)

-- under_way: entries that came in by a way and have not ended, of some members or of all
SELECT e.id::text, e.member FROM mingzhang_views.entries_{b}_entry e
WHERE e.origin <> %(direct)s AND e.state <> ALL(%(ended)s) AND e.id > %(entry)s::uuid
    AND e.since <= %(size)s AND e.until > %(size)s
    AND (%(members)s::text[] IS NULL OR e.member = ANY(%(members)s::text[]))
ORDER BY e.id LIMIT %(limit)s

-- if_now: the newest version of each row
e.until = 9223372036854775807

-- if_then: the version as of a size
e.since <= %(size)s AND e.until > %(size)s

-- if_not_ended: a version that had not ended at a size
e.until > %(size)s

-- hand_scorer: who proposed, checked or reviewed
h.actor = %(scorer)s AND h.step = ANY(%(scoring)s)

-- hand_reviewer: who reviewed
h.actor = %(reviewer)s AND h.step = ANY(%(reviewing)s)

-- hand_act_from: acts from a day on
h.act_date >= %(act_from)s::date

-- hand_act_to: acts up to a day
h.act_date <= %(act_to)s::date

-- if_hand: who had a hand in it; OFFSET, so that it is asked of each entry and of no other
EXISTS (
        SELECT FROM mingzhang_views.entries_{b}_hand h
        WHERE h.entry = e.id AND {condition} AND h.since <= %(size)s AND h.until > %(size)s OFFSET 0
    )

-- if_unit: of a unit and those below it
e.unit = ANY(%(units)s)

-- if_member: of a member
e.member = %(member)s

-- if_rulebook: under a rulebook
e.rulebook = %(rulebook)s

-- if_item: under an item
e.item = %(item)s

-- if_act_type: of a kind of act
e.act_type = %(act_type)s

-- if_kind: credit, debit or reversal
e.kind = %(kind)s

-- if_origin: claim, direct, import or correction
e.origin = %(origin)s

-- if_state: in a state
e.state = %(state)s

-- if_act_from: acts from a day on
e.act_date >= %(act_from)s::date

-- if_act_to: acts up to a day
e.act_date <= %(act_to)s::date

-- if_recorded_from: recorded from a day on
e.recorded_on >= %(recorded_from)s::date

-- if_recorded_to: recorded up to a day
e.recorded_on <= %(recorded_to)s::date

-- if_amount_min: worth at least
e.amount >= %(amount_min)s

-- if_amount_max: worth at most
e.amount <= %(amount_max)s

-- if_reversed: taken back or not
e.reversed = %(reversed)s

-- hands: who signed which step of entries, in order
SELECT h.entry::text, h.step, h.actor, h.recorded_at
FROM mingzhang_views.entries_{b}_hand h
WHERE h.entry = ANY(%(entries)s::uuid[]) AND h.since <= %(size)s AND h.until > %(size)s
ORDER BY h.recorded_at, h.actor

-- covered_units: a unit and every unit below it, as of a size
WITH RECURSIVE covered (id) AS (
    SELECT u.id FROM mingzhang_views.entries_{b}_unit u
    WHERE u.id = %(unit)s AND u.since <= %(size)s AND u.until > %(size)s
    UNION
    SELECT u.id FROM mingzhang_views.entries_{b}_unit u JOIN covered c ON u.parent = c.id
    WHERE u.since <= %(size)s AND u.until > %(size)s
)
SELECT id FROM covered

-- zone: the organisation's time zone, as of a size
SELECT n.value FROM mingzhang_views.entries_{b}_name n
WHERE n.name = %(zone)s AND n.since <= %(size)s AND n.until > %(size)s

-- took: who signed which step of entries that have one between two instants
SELECT h.entry::text, e.unit, h.step, h.actor, h.statement::text, h.recorded_at
FROM mingzhang_views.entries_{b}_hand h
JOIN mingzhang_views.entries_{b}_entry e
    ON e.id = h.entry AND e.since <= %(size)s AND e.until > %(size)s
WHERE e.unit = ANY(%(units)s) AND h.since <= %(size)s AND h.until > %(size)s
    AND h.entry IN (
        SELECT t.entry FROM mingzhang_views.entries_{b}_hand t
        WHERE t.recorded_at COLLATE "C" >= %(first)s AND t.recorded_at COLLATE "C" < %(behind)s
    )
