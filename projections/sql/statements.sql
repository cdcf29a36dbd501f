-- create: the tables of a version
CREATE TABLE mingzhang_views.statements_{v}_unit (
    id      text   COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    parent  text   COLLATE "C",
    start   date   NOT NULL,
    name_zh text   NOT NULL,
    name_en text   NOT NULL
);
CREATE TABLE mingzhang_views.statements_{v}_member (
    id          text   COLLATE "C" PRIMARY KEY,
    version     bigint NOT NULL,
    unit        text   NOT NULL COLLATE "C",
    member_type text   NOT NULL COLLATE "C",
    actor       text   COLLATE "C",
    status      text   NOT NULL COLLATE "C"
);
CREATE TABLE mingzhang_views.statements_{v}_step (
    id          uuid   PRIMARY KEY,
    member      text   NOT NULL COLLATE "C",
    seq         bigint NOT NULL,
    log_index   bigint NOT NULL,
    recorded_at text   NOT NULL COLLATE "C",
    type        text   NOT NULL COLLATE "C",
    rulebook    text   COLLATE "C",
    version     text   COLLATE "C",
    item        text   COLLATE "C",
    act_date    date,
    points      bigint NOT NULL,
    change      bigint NOT NULL,
    reverses    uuid,
    reversed_by uuid
);
CREATE INDEX ON mingzhang_views.statements_{v}_step (member, seq);
CREATE TABLE mingzhang_views.statements_{v}_item (
    rulebook text COLLATE "C",
    version  text COLLATE "C",
    code     text COLLATE "C",
    name_zh  text NOT NULL,
    name_en  text NOT NULL,
    PRIMARY KEY (rulebook, version, code)
);

-- member: a member and the unit that it belongs to
SELECT m.id, m.version, m.unit, m.member_type, m.actor, m.status,
    u.id, u.version, u.parent, u.start::text, u.name_zh, u.name_en
FROM mingzhang_views.statements_{v}_member m
JOIN mingzhang_views.statements_{v}_unit u ON u.id = m.unit
WHERE m.id = %s

-- steps: a member's points entries with the names of their items, in order of recording
SELECT s.id::text, s.member, s.seq, s.log_index, s.recorded_at, s.type, s.rulebook, s.version, s.item,
    s.act_date::text, s.points, s.change, s.reverses::text, s.reversed_by::text,
    i.name_zh, i.name_en
FROM mingzhang_views.statements_{v}_step s
LEFT JOIN mingzhang_views.statements_{v}_item i
    ON i.rulebook = s.rulebook AND i.version = s.version AND i.code = s.item
WHERE s.member = %s
ORDER BY s.seq
