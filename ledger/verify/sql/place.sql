-- A monitor's place in a log (SQLite). One row of `place`: up to where everything was checked.
CREATE TABLE place (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    vkey        TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    recorded_at TEXT    NOT NULL,
    -- TreeState as JSON, its hashes in hex.
    tree        TEXT    NOT NULL,
    -- When an older checkpoint than a seen one was first shown; NULL while none is.
    stale_since TEXT,
    -- Why the last pass could not check; NULL if it could.
    trouble     TEXT
) STRICT;

-- Every signed checkpoint that was seen and proved consistent with those before. Never deleted.
CREATE TABLE seen (
    size    INTEGER PRIMARY KEY,
    root    BLOB NOT NULL,
    note    BLOB NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;

-- The last entry of each stream: leaf hash (32 bytes), seq (8), the stream's own number (8).
CREATE TABLE head (stream TEXT PRIMARY KEY, head BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Entries that later decisions depend on, as JSON: people, keys, roles, units, rulebooks.
CREATE TABLE kept (log_index INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;

-- Statement ids.
CREATE TABLE used (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- What members' accounts are folded from, by the stream's own number, as JSON.
CREATE TABLE account_event (
    stream BLOB    NOT NULL,
    seq    INTEGER NOT NULL,
    packed BLOB    NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

-- What was found, for good. `name` is the same for the same fault found again.
CREATE TABLE finding (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    evidence        TEXT NOT NULL,
    acknowledged_at TEXT
) STRICT;
CREATE UNIQUE INDEX finding_open ON finding (name) WHERE acknowledged_at IS NULL;

-- Reports that the webhook has not confirmed yet.
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;

PRAGMA user_version = 1;
