-- indexes: the open cases
CREATE INDEX ON mingzhang_views.disputes_{b}_dispute (state, received_at)

-- cases: open cases, or all, as of a size
SELECT c.id, c.version, c.unit, c.kind, c.target, c.filer, c.anonymous, c.state,
    c.received_at, c.term_at, c.accepted_at, c.ended_at, c.evidence, c.appeal_index,
    c.pool, c.drawn, c.reexamined, c.resumes, c.lapses, c.lengthened, c.extended,
    c.ruling::text, c.outcome, c.about_stream, c.about_entry::text
FROM mingzhang_views.disputes_{b}_dispute c
WHERE (%(every)s OR c.state = ANY(%(open)s)) AND c.since <= %(size)s AND c.until > %(size)s

-- case: one case, as of a size
SELECT c.id, c.version, c.unit, c.kind, c.target, c.filer, c.anonymous, c.state,
    c.received_at, c.term_at, c.accepted_at, c.ended_at, c.evidence, c.appeal_index,
    c.pool, c.drawn, c.reexamined, c.resumes, c.lapses, c.lengthened, c.extended,
    c.ruling::text, c.outcome, c.about_stream, c.about_entry::text
FROM mingzhang_views.disputes_{b}_dispute c
WHERE c.id = %(dispute)s AND c.since <= %(size)s AND c.until > %(size)s

-- parts: the steps of a case, in order
SELECT p.dispute, p.seq, p.statement::text, p.type, p.actor, p.signatures, p.said, p.recorded_at
FROM mingzhang_views.disputes_{b}_part p
WHERE p.dispute = %(dispute)s AND p.since <= %(size)s AND p.until > %(size)s
ORDER BY p.seq

-- settings: time zone and calendar, as of a size
SELECT s.name, s.recorded_at, s.value
FROM mingzhang_views.disputes_{b}_setting s
WHERE s.since <= %(size)s AND s.until > %(size)s
