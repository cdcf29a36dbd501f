-- The whole schema as a fresh database has it. Migrations in sql/migrations lead to the same
-- result; a test compares the two.
--
-- One table holds the log. `state` is the exact leaf; the database itself derives `leaf` from it,
-- so that no program can store a hash that does not belong to the bytes beside it.

CREATE SCHEMA mingzhang;

-- Which files of sql/migrations were applied, with the digest of each.
CREATE TABLE mingzhang.migration (
    number     integer     PRIMARY KEY CHECK (number >= 1),
    name       text        NOT NULL,
    digest     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mingzhang.entry (
    index    bigint PRIMARY KEY CHECK (index >= 0),
    stream   text   NOT NULL COLLATE "C",
    seq      bigint NOT NULL CHECK (seq >= 1),
    type     text   NOT NULL COLLATE "C",
    id       uuid   NOT NULL,
    state    bytea  NOT NULL CHECK (octet_length(state) <= 65535),
    leaf     bytea  GENERATED ALWAYS AS (sha256('\x00'::bytea || state)) STORED,
    -- Only the first row of a batch has these two: the leaf hash of the entry before it, which
    -- must still be the head's, and the signed note of the size that the batch extends.
    expected bytea  CHECK (octet_length(expected) = 32),
    note     bytea
);

CREATE UNIQUE INDEX entry_stream_seq ON mingzhang.entry (stream, seq);
CREATE UNIQUE INDEX entry_id ON mingzhang.entry (id);
-- Everything but points decides what later statements may do: a starting process reads these.
CREATE INDEX entry_structural ON mingzhang.entry (index) WHERE type NOT LIKE 'points.%';

CREATE TABLE mingzhang.head (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint  NOT NULL CHECK (size >= 0),
    leaf bytea   NOT NULL CHECK (octet_length(leaf) = 32)
);

-- Before the first entry the head's leaf hash is 32 zero bytes.
INSERT INTO mingzhang.head (size, leaf) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE mingzhang.checkpoint (
    size bigint PRIMARY KEY CHECK (size >= 1),
    note bytea  NOT NULL
);

-- Full tiles only (C2SP tlog-tiles, 256 hashes), with the root of each one's subtree. All of it
-- can be derived from the entries again.
CREATE TABLE mingzhang.tile (
    level integer NOT NULL CHECK (level BETWEEN 0 AND 7),
    n     bigint  NOT NULL CHECK (n >= 0),
    data  bytea   NOT NULL CHECK (octet_length(data) = 8192),
    root  bytea   NOT NULL CHECK (octet_length(root) = 32),
    PRIMARY KEY (level, n)
);

-- After each INSERT into `entry`: the batch is contiguous and starts where the head ends, on the
-- leaf that its writer saw (compare-and-swap); the head moves, and the carried note is kept. A
-- note of the head's size can be no step back: no recorded note is beyond the head.
CREATE FUNCTION mingzhang.entry_appended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mingzhang, pg_temp AS $$
DECLARE
    first RECORD;
    last  RECORD;
    many  RECORD;
BEGIN
    SELECT b.index, b.leaf INTO last FROM batch b ORDER BY b.index DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT b.index, b.expected, b.note INTO first FROM batch b ORDER BY b.index LIMIT 1;
    IF first.index < last.index THEN
        SELECT count(*) AS rows, count(b.expected) AS fences, count(b.note) AS notes INTO many
            FROM batch b;
        IF many.rows <> last.index - first.index + 1 THEN
            RAISE EXCEPTION 'indexes % to % are not contiguous: % rows', first.index, last.index,
                many.rows USING ERRCODE = 'MZ001';
        END IF;
        IF many.fences > num_nonnulls(first.expected) OR many.notes > num_nonnulls(first.note) THEN
            RAISE EXCEPTION 'only the first row of a batch carries the expected head and a note'
                USING ERRCODE = 'MZ001';
        END IF;
    END IF;
    IF first.expected IS NULL OR (first.index > 0) <> (first.note IS NOT NULL) THEN
        RAISE EXCEPTION 'a batch carries the head that it extends and, from size 1, its note'
            USING ERRCODE = 'MZ001';
    END IF;
    UPDATE head h SET size = last.index + 1, leaf = last.leaf
        WHERE h.size = first.index AND h.leaf = first.expected;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head has moved' USING ERRCODE = 'MZ002';
    END IF;
    IF first.note IS NOT NULL THEN
        INSERT INTO checkpoint (size, note) VALUES (first.index, first.note)
            ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            PERFORM keep_note(first.index, first.note);
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Notes are added in increasing size; the same size twice must be the same bytes.
CREATE FUNCTION mingzhang.keep_note(at bigint, signed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mingzhang, pg_temp AS $$
DECLARE
    newest   bigint;
    existing bytea;
BEGIN
    SELECT max(c.size) INTO newest FROM checkpoint c;
    IF newest IS NULL OR newest < at THEN
        IF at > (SELECT h.size FROM head h) THEN
            RAISE EXCEPTION 'a note of size % is beyond the head', at USING ERRCODE = 'MZ003';
        END IF;
        INSERT INTO checkpoint (size, note) VALUES (at, signed) ON CONFLICT DO NOTHING;
        PERFORM pg_notify('mingzhang_checkpoint', at::text);
    END IF;
    SELECT c.note INTO existing FROM checkpoint c WHERE c.size = at;
    IF existing IS DISTINCT FROM signed THEN
        RAISE EXCEPTION 'another note of size % or a later one is recorded', at
            USING ERRCODE = 'MZ003';
    END IF;
END $$;

CREATE FUNCTION mingzhang.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: the log is append-only', TG_OP, TG_TABLE_SCHEMA,
        TG_TABLE_NAME USING ERRCODE = 'MZ004';
END $$;

CREATE TRIGGER entry_appended AFTER INSERT ON mingzhang.entry
    REFERENCING NEW TABLE AS batch FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.entry_appended();
CREATE TRIGGER entry_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON mingzhang.entry
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.refuse_change();
CREATE TRIGGER checkpoint_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON mingzhang.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.refuse_change();
CREATE TRIGGER tile_unchanged BEFORE UPDATE OR TRUNCATE ON mingzhang.tile
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.refuse_change();
CREATE TRIGGER head_kept BEFORE DELETE OR TRUNCATE ON mingzhang.head
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang.refuse_change();

-- What the service may do, and nothing else: read, append entries and tiles, keep notes.
GRANT USAGE ON SCHEMA mingzhang TO mingzhang_service;
GRANT SELECT ON ALL TABLES IN SCHEMA mingzhang TO mingzhang_service;
GRANT INSERT ON mingzhang.entry, mingzhang.tile TO mingzhang_service;
REVOKE ALL ON FUNCTION mingzhang.keep_note(bigint, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mingzhang.keep_note(bigint, bytea) TO mingzhang_service;

-- Read models can be thrown away and folded again: the service owns where they live.
CREATE SCHEMA mingzhang_views AUTHORIZATION mingzhang_service;

-- Erasable text and files: what the log only holds salted commitments to.

CREATE SCHEMA mingzhang_documents;

-- The bytes, once however often they were handed in. The plain digest stands here, where it can
-- be erased, and never in the log: it finds the same evidence used twice.
CREATE TABLE mingzhang_documents.content (
    digest bytea PRIMARY KEY,
    data   bytea NOT NULL,
    CHECK (digest = sha256(data))
);
-- Pictures and PDF files are compressed already.
ALTER TABLE mingzhang_documents.content ALTER COLUMN data SET STORAGE EXTERNAL;

-- A row a commitment, SHA-256(salt ‖ bytes). After an erasure it is a stub: what kind it was,
-- when it came, and when and by which statement it was erased.
CREATE TABLE mingzhang_documents.document (
    commitment bytea       PRIMARY KEY CHECK (octet_length(commitment) = 32),
    kind       text        NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    salt       bytea       CHECK (octet_length(salt) = 32),
    digest     bytea       REFERENCES mingzhang_documents.content,
    erased_at  timestamptz,
    erased_by  uuid,
    CHECK (
        (salt IS NULL) = (erased_by IS NOT NULL)
        AND (digest IS NULL) = (erased_by IS NOT NULL)
        AND (erased_at IS NULL) = (erased_by IS NULL)
    )
);
CREATE INDEX document_digest ON mingzhang_documents.document (digest);

-- Recording a `text.erased` is the erasure: both happen in one transaction or neither does, and
-- nothing else erases. Where the same bytes stand under another commitment too, they stay for it.
CREATE FUNCTION mingzhang_documents.erase() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mingzhang_documents, pg_temp AS $$
DECLARE
    entry jsonb := convert_from(NEW.state, 'UTF8')::jsonb;
    said  jsonb := convert_from(decode(entry #>> '{envelope,payload}', 'base64'), 'UTF8')::jsonb;
    which bytea := decode(said #>> '{body,commitment}', 'hex');
    plain bytea;
BEGIN
    SELECT d.digest INTO plain FROM document d WHERE d.commitment = which FOR UPDATE;
    IF plain IS NULL THEN
        RETURN NULL;
    END IF;
    -- Whoever stores the same bytes at this moment is through, or waits until they are gone.
    PERFORM FROM content c WHERE c.digest = plain FOR UPDATE;
    UPDATE document d
        SET salt = NULL, digest = NULL, erased_by = NEW.id,
            erased_at = (entry ->> 'recorded_at')::timestamptz
        WHERE d.commitment = which;
    DELETE FROM content c WHERE c.digest = plain
        AND NOT EXISTS (SELECT FROM document d WHERE d.digest = plain);
    RETURN NULL;
END $$;

CREATE TRIGGER entry_erases AFTER INSERT ON mingzhang.entry
    FOR EACH ROW WHEN (NEW.type = 'text.erased') EXECUTE FUNCTION mingzhang_documents.erase();

GRANT USAGE ON SCHEMA mingzhang_documents TO mingzhang_service;
GRANT SELECT, INSERT ON mingzhang_documents.content, mingzhang_documents.document
    TO mingzhang_service;

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

-- When a serving process of this log was last up: what a start after an outage goes by.
CREATE TABLE mingzhang.heartbeat (
    one boolean     PRIMARY KEY DEFAULT true CHECK (one),
    at  timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON mingzhang.heartbeat TO mingzhang_service;

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

-- Who filed which dispute about what: known to intake alone, and never in the log (rule B9).
-- The service can put a case in and open one, and every opening leaves a line that it cannot change.
CREATE SCHEMA mingzhang_cases;

CREATE TABLE mingzhang_cases.filed (
    dispute       text        PRIMARY KEY,
    envelope      bytea       NOT NULL,
    envelope_salt bytea       NOT NULL CHECK (octet_length(envelope_salt) = 32),
    target        bytea       NOT NULL,
    target_salt   bytea       NOT NULL CHECK (octet_length(target_salt) = 32),
    filer         text,
    member        text,
    stored_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mingzhang_cases.access (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispute   text        NOT NULL,
    actor     text        NOT NULL,
    purpose   text        NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX access_dispute ON mingzhang_cases.access (dispute, number);

CREATE FUNCTION mingzhang_cases.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the access log of cases is only ever added to';
END $$;
CREATE TRIGGER access_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mingzhang_cases.access
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang_cases.refuse_change();

-- There is no other way to read a case: its line is written before it is shown.
CREATE FUNCTION mingzhang_cases.open_case(wanted text, who text, why text)
RETURNS SETOF mingzhang_cases.filed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mingzhang_cases, pg_temp AS $$
BEGIN
    INSERT INTO access (dispute, actor, purpose) VALUES (wanted, who, why);
    RETURN QUERY SELECT * FROM filed f WHERE f.dispute = wanted;
END $$;

REVOKE ALL ON FUNCTION mingzhang_cases.open_case(text, text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA mingzhang_cases TO mingzhang_service;
GRANT INSERT ON mingzhang_cases.filed TO mingzhang_service;
GRANT SELECT ON mingzhang_cases.access TO mingzhang_service;
GRANT EXECUTE ON FUNCTION mingzhang_cases.open_case(text, text, text) TO mingzhang_service;

-- Who looked at which member's record with a token of their own: what the member may ask for. Reads
-- without a token leave no line: nobody is known by name there.
CREATE TABLE mingzhang_cases.look (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member    text        NOT NULL,
    actor     text        NOT NULL,
    question  text        NOT NULL,
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX look_member ON mingzhang_cases.look (member, number);
CREATE TRIGGER look_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mingzhang_cases.look
    FOR EACH STATEMENT EXECUTE FUNCTION mingzhang_cases.refuse_change();
GRANT SELECT ON mingzhang_cases.look TO mingzhang_service;
GRANT INSERT (member, actor, question) ON mingzhang_cases.look TO mingzhang_service;
