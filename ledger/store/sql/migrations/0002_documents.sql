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
