-- RFC 3161 timestamps on signed checkpoints: outside the log, kept like it.

CREATE TABLE mingzhang.timestamp_token (
    size      bigint      NOT NULL REFERENCES mingzhang.checkpoint,
    -- The TSA's name in file names, from its URL.
    tsa       text        NOT NULL COLLATE "C" CHECK (tsa ~ '^[a-z0-9][a-z0-9.-]{0,99}$'),
    -- The whole response, DER.
    token     bytea       NOT NULL CHECK (octet_length(token) BETWEEN 1 AND 65536),
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (size, tsa)
);

CREATE TRIGGER timestamp_token_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE
    ON mingzhang.timestamp_token FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.refuse_change();

GRANT SELECT, INSERT ON mingzhang.timestamp_token TO mingzhang_service;
