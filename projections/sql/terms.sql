-- indexes: what may lapse, by day, and what is under way, by member
CREATE INDEX ON mingzhang_views.terms_{b}_entry (earliest, id) WHERE earliest IS NOT NULL;
CREATE INDEX ON mingzhang_views.terms_{b}_entry (member, id) WHERE open

-- due: entries with a term that may be over by a day
SELECT earliest::text, id::text, member FROM mingzhang_views.terms_{b}_entry
WHERE earliest < %(today)s::date AND (earliest, id) > (%(day)s::date, %(entry)s::uuid)
ORDER BY earliest, id LIMIT %(limit)s

-- under_way: entries that are under way, of some members or of all
SELECT id::text, member FROM mingzhang_views.terms_{b}_entry
WHERE open AND id > %(entry)s::uuid
    AND (%(members)s::text[] IS NULL OR member = ANY(%(members)s::text[]))
ORDER BY id LIMIT %(limit)s
