-- The files of listings that sellers have sent. `due_at` is when a process works on it next; while one does, it is the end of its lease.
-- `rows` is NULL until the file was read. `applied`, `unchanged` and `refused` say how far it is: they are saved with what its rows change.
CREATE TABLE listing_imports (
    import_id text PRIMARY KEY,
    seller_id text NOT NULL,
    sha256 bytea NOT NULL,
    file_name text,
    dry_run boolean NOT NULL,
    sets_stock boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'failed')),
    code text CHECK ((code IS NOT NULL) = (status = 'failed')),
    reason text CHECK ((reason IS NOT NULL) = (status = 'failed')),
    rows integer,
    applied integer NOT NULL DEFAULT 0 CHECK (applied >= 0),
    unchanged integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz CHECK ((ended_at IS NOT NULL) = (status IN ('done', 'failed')))
);
CREATE INDEX listing_imports_of_seller ON listing_imports (seller_id, created_at, import_id);
CREATE INDEX listing_imports_of_file ON listing_imports (seller_id, sha256);
CREATE INDEX waiting_listing_imports ON listing_imports (due_at) WHERE status IN ('waiting', 'running');
CREATE INDEX ended_listing_imports ON listing_imports (ended_at);

-- The files of imports that have not ended, compressed with zlib.
CREATE TABLE listing_import_files (
    import_id text PRIMARY KEY REFERENCES listing_imports ON DELETE CASCADE,
    content bytea NOT NULL
);
ALTER TABLE listing_import_files ALTER COLUMN content SET STORAGE EXTERNAL;

-- Why rows were refused. A row can have several defects.
CREATE TABLE listing_import_defects (
    import_id text NOT NULL REFERENCES listing_imports ON DELETE CASCADE,
    row_number integer NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    column_name text NOT NULL,
    value text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (import_id, row_number, position)
);

-- The stock that the rows of an import say, until the inventory service has set it. That service learns of a new listing later:
-- until `wait_until`, a refusal because it is not listed is tried again.
CREATE TABLE listing_import_stock (
    import_id text NOT NULL REFERENCES listing_imports ON DELETE CASCADE,
    row_number integer NOT NULL,
    product_id text NOT NULL,
    on_hand integer NOT NULL,
    wait_until timestamptz NOT NULL,
    try_at timestamptz NOT NULL,
    PRIMARY KEY (import_id, row_number)
);

-- Exports read the listings of a seller in this order.
CREATE INDEX listings_of_seller_by_product ON listings (seller_id, product_id);
