-- What witnesses said of the log that a monitor follows (SQLite), since version 2 of its file.

-- The newest cosignature of each witness's key over a checkpoint that the log continues.
CREATE TABLE cosigned (
    name   TEXT    NOT NULL,
    key_id BLOB    NOT NULL,
    time   INTEGER NOT NULL,
    line   TEXT    NOT NULL,
    PRIMARY KEY (name, key_id)
) STRICT, WITHOUT ROWID;

-- One row: what was last said of quorum and silent witnesses; empty while all is well.
CREATE TABLE witnesses (state TEXT NOT NULL) STRICT;
INSERT INTO witnesses (state) VALUES ('');

PRAGMA user_version = 2;
