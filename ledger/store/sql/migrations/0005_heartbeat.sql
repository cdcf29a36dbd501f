-- When a serving process of this log was last up: what a start after an outage goes by.

CREATE TABLE mingzhang.heartbeat (
    one boolean     PRIMARY KEY DEFAULT true CHECK (one),
    at  timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON mingzhang.heartbeat TO mingzhang_service;
