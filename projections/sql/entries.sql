-- indexes: what questions mostly begin with, newest first
CREATE INDEX ON mingzhang_views.entries_{b}_entry (log_index) WHERE until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_entry (unit, log_index);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (member, log_index);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (item, log_index);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (act_type, log_index);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (act_date);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (recorded_on);
CREATE INDEX ON mingzhang_views.entries_{b}_entry (log_index)
    WHERE reversed AND until = 9223372036854775807;
CREATE INDEX ON mingzhang_views.entries_{b}_hand (actor, log_index, step);
CREATE INDEX ON mingzhang_views.entries_{b}_hand (recorded_at COLLATE "C", entry)

-- page: entries that meet conditions, newest first
SELECT e.id::text, e.log_index, e.member, e.unit, e.kind, e.origin, e.rulebook, e.version, e.item,
    e.act_type, e.act_date::text, e.recorded_on::text, e.state, e.amount, e.reversed, e.fixed, e.packed
FROM mingzhang_views.entries_{b}_entry e
WHERE {conditions}
ORDER BY e.log_index DESC
LIMIT %(limit)s

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

-- if_after: behind the last one of the page before
e.log_index < %(after)s

-- if_scorer: who proposed, checked or reviewed it
e.id IN (
        SELECT h.entry FROM mingzhang_views.entries_{b}_hand h
        WHERE h.actor = %(scorer)s AND h.step = ANY(%(scoring)s)
            AND h.since <= %(size)s AND h.until > %(size)s
    )

-- if_reviewer: who reviewed it
e.id IN (
        SELECT h.entry FROM mingzhang_views.entries_{b}_hand h
        WHERE h.actor = %(reviewer)s AND h.step = ANY(%(reviewing)s)
            AND h.since <= %(size)s AND h.until > %(size)s
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
