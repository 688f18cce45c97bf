-- The number of changes of each setting that was changed. A transaction locks this row before it adds a version.
CREATE TABLE settings (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
    version bigint NOT NULL CHECK (version >= 0)
);

-- Each change. The value of a setting is that of its highest version. `author` is the subject of a principal.
CREATE TABLE versions (
    name text NOT NULL REFERENCES settings,
    version bigint NOT NULL CHECK (version > 0),
    value jsonb NOT NULL,
    author text NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    changed_at timestamptz NOT NULL,
    rolled_back_to bigint CHECK (rolled_back_to >= 0 AND rolled_back_to < version),
    PRIMARY KEY (name, version)
);
CREATE INDEX versions_of_author ON versions (author);

-- Replaces the author of changes by 'erased'. The service users calls it in the transaction that erases a person.
CREATE FUNCTION forget_author(subject text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = configuration, pg_temp AS $$
DECLARE
    forgotten bigint;
BEGIN
    UPDATE versions SET author = 'erased' WHERE author = subject;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

REVOKE ALL ON FUNCTION forget_author (text) FROM PUBLIC;
