-- A seller's public profile may change. Who shows a seller reads `seller_profiles`, which is as the newest change says.

CREATE TABLE IF NOT EXISTS seller_changed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'The seller.',
    name Nullable(String) CODEC(ZSTD(1)) COMMENT 'Shop name.',
    description Nullable(String) CODEC(ZSTD(1)) COMMENT 'What the seller says about the shop.',
    zip_prefix Nullable(String) CODEC(ZSTD(1)) COMMENT 'First digits of the postal code, leading zeros kept.',
    city Nullable(String) CODEC(ZSTD(1)) COMMENT 'City as the seller wrote it.',
    state Nullable(String) CODEC(ZSTD(1)) COMMENT 'State or region code, such as SP.',
    country Nullable(String) CODEC(ZSTD(1)) COMMENT 'ISO 3166-1 alpha-2 code.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The public profile of a seller changed; the event holds all of it as it is now.';

-- A change counts more than any registration, also a later one: PostgreSQL keeps an edited profile, too.
CREATE VIEW IF NOT EXISTS seller_profiles AS
SELECT
    seller_id,
    newest.1 AS name,
    newest.2 AS description,
    newest.3 AS zip_prefix,
    newest.4 AS city,
    newest.5 AS state,
    newest.6 AS country,
    first_at AS registered_at
FROM
(
    SELECT
        seller_id,
        argMax((name, description, zip_prefix, city, state, country), (changed, occurred_at, event_id)) AS newest,
        minIf(occurred_at, changed = 0) AS first_at
    FROM
    (
        SELECT seller_id, event_id, occurred_at, 0 AS changed, name, CAST(NULL AS Nullable(String)) AS description, zip_prefix, city, state, country
        FROM seller_registered
        UNION ALL
        SELECT seller_id, event_id, occurred_at, 1 AS changed, name, description, zip_prefix, city, state, country
        FROM seller_changed
    )
    GROUP BY seller_id
    HAVING countIf(changed = 0) > 0
);
