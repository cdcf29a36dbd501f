-- create: where a witness keeps its heads; one note a log, the one that it cosigned last
CREATE SCHEMA IF NOT EXISTS mingzhang_witness;
CREATE TABLE IF NOT EXISTS mingzhang_witness.head (
    origin text  PRIMARY KEY,
    note   bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS mingzhang_witness.identity (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    vkey text    NOT NULL
)

-- lock: processes that start together make the tables one after the other
SELECT pg_advisory_xact_lock(7305808869229538922)

-- identify: whose heads these are; the first one stays
INSERT INTO mingzhang_witness.identity (vkey) VALUES (%s) ON CONFLICT DO NOTHING

-- identity: whose heads these are
SELECT vkey FROM mingzhang_witness.identity

-- setting: a server setting as this connection has it
SELECT current_setting(%s)

-- read: the note that was cosigned last
SELECT note FROM mingzhang_witness.head WHERE origin = %s

-- insert: the first note of a log
INSERT INTO mingzhang_witness.head (origin, note) VALUES (%s, %s) ON CONFLICT DO NOTHING

-- replace: compare and swap
UPDATE mingzhang_witness.head SET note = %s WHERE origin = %s AND note = %s
