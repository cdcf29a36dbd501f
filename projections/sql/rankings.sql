-- create: the tables of a version
CREATE TABLE mingzhang_views.rankings_{v}_unit (
    id      text    COLLATE "C" PRIMARY KEY,
    version bigint  NOT NULL,
    parent  text    COLLATE "C",
    start   date    NOT NULL,
    name_zh text    NOT NULL,
    name_en text    NOT NULL
);
CREATE TABLE mingzhang_views.rankings_{v}_member (
    id          text   COLLATE "C" PRIMARY KEY,
    version     bigint NOT NULL,
    unit        text   NOT NULL COLLATE "C",
    member_type text   NOT NULL COLLATE "C",
    actor       text   COLLATE "C",
    status      text   NOT NULL COLLATE "C"
);
CREATE INDEX ON mingzhang_views.rankings_{v}_member (unit) WHERE status <> 'left';
CREATE TABLE mingzhang_views.rankings_{v}_posting (
    id        uuid    PRIMARY KEY,
    member    text    NOT NULL COLLATE "C",
    act_date  date    NOT NULL,
    points    bigint  NOT NULL,
    effective boolean NOT NULL
);
-- A unit's ranking sums from this index alone.
CREATE INDEX ON mingzhang_views.rankings_{v}_posting (member, act_date) INCLUDE (points)
    WHERE effective;

-- covered_units: a unit and every unit below it
WITH RECURSIVE covered (id) AS (
    SELECT u.id FROM mingzhang_views.rankings_{v}_unit u WHERE u.id = %s
    UNION
    SELECT u.id FROM mingzhang_views.rankings_{v}_unit u JOIN covered c ON u.parent = c.id
)
SELECT u.id, u.version, u.parent, u.start::text, u.name_zh, u.name_en
FROM mingzhang_views.rankings_{v}_unit u JOIN covered c USING (id)

-- scores: members of units who have not left, with the sum of what counts from one day to another
SELECT m.id, m.unit, coalesce(sum(p.points), 0)::bigint
FROM mingzhang_views.rankings_{v}_member m
LEFT JOIN mingzhang_views.rankings_{v}_posting p
    ON p.member = m.id AND p.effective AND p.act_date BETWEEN %s::date AND %s::date
WHERE m.unit = ANY(%s) AND m.status <> 'left'
GROUP BY m.id, m.unit
