-- library_drop: what an earlier turn left
DROP TABLE IF EXISTS mingzhang_views.bench_posting

-- library_create: the table of the library's projection
CREATE TABLE mingzhang_views.bench_posting (
    id        uuid    PRIMARY KEY,
    member    text    NOT NULL,
    act_date  date    NOT NULL,
    points    bigint  NOT NULL,
    effective boolean NOT NULL
)

-- library_insert: a posting
INSERT INTO mingzhang_views.bench_posting VALUES (%s, %s, %s, %s, true)

-- library_reverse: a posting no longer counts
UPDATE mingzhang_views.bench_posting SET effective = false WHERE id = %s
