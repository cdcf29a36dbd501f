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
