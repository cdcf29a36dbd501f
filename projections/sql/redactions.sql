-- indexes: erasures in order
CREATE INDEX ON mingzhang_views.redactions_{b}_erased (log_index)

-- erased: every erasure as of a size, newest first
SELECT e.id::text, e.log_index, e.recorded_at, e.stream, e.commitment, e.cause, e.actors
FROM mingzhang_views.redactions_{b}_erased e
WHERE e.since <= %(size)s AND e.until > %(size)s
ORDER BY e.log_index DESC
