-- Which migrations this database has had: the runner reads it first and adds a row a file (clickhouse/migrate.py).
CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32 COMMENT 'The NNNN of NNNN_name.sql.',
    name String COMMENT 'The file''s name.',
    sha256 String COMMENT 'Of the file''s bytes when it was applied.',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, UTC.'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
COMMENT 'Which migrations this database has had.'
