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
