-- What witnesses said of signed checkpoints (C2SP tlog-cosignature): proofs for others, outside the
-- log. A witness may cosign the same checkpoint again, later.
CREATE TABLE mingzhang.cosignature (
    size   bigint NOT NULL REFERENCES mingzhang.checkpoint,
    name   text   NOT NULL COLLATE "C",
    key_id bytea  NOT NULL CHECK (octet_length(key_id) = 4),
    time   bigint NOT NULL CHECK (time >= 0),
    line   text   NOT NULL,
    PRIMARY KEY (size, name, key_id, time)
);

CREATE TRIGGER cosignature_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON mingzhang.cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.refuse_change();
GRANT SELECT, INSERT ON mingzhang.cosignature TO mingzhang_service;
