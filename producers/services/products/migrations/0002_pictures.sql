-- The pictures that sellers have sent, by file or by URL. `media_type` is what the sender says that a file is. `due_at` is when a picture
-- that waits is rendered, or tried again. `used_at` is when a listing was last seen to show it; what no listing shows is removed later.
CREATE TABLE pictures (
    picture_id text PRIMARY KEY,
    seller_id text NOT NULL,
    url text,
    media_type text,
    status text NOT NULL CHECK (status IN ('waiting', 'ready', 'refused')),
    reason text CHECK ((reason IS NOT NULL) = (status = 'refused')),
    sha256 text CHECK ((sha256 IS NOT NULL) = (status = 'ready')),
    attempts integer NOT NULL DEFAULT 0,
    submitted_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL
);
CREATE INDEX waiting_pictures ON pictures (seller_id, submitted_at, picture_id) WHERE status = 'waiting';
CREATE INDEX pictures_of_seller ON pictures (seller_id, sha256) WHERE status = 'ready';
CREATE INDEX pictures_of_file ON pictures (sha256) WHERE status = 'ready';
CREATE INDEX pictures_by_use ON pictures (used_at);

-- The files that wait as they were sent. They are compressed already.
CREATE TABLE sent_files (
    picture_id text PRIMARY KEY REFERENCES pictures ON DELETE CASCADE,
    content bytea NOT NULL
);
ALTER TABLE sent_files ALTER COLUMN content SET STORAGE EXTERNAL;

-- The pictures of which the storage may have files. Whoever saves or removes files holds the lock of the row.
CREATE TABLE picture_files (
    sha256 text PRIMARY KEY,
    width integer NOT NULL,
    height integer NOT NULL,
    saved_at timestamptz NOT NULL
);

CREATE INDEX listings_with_pictures ON listings USING gin (pictures);
