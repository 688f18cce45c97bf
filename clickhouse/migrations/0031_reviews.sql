-- Reviews name the line that they are about and the version that was decided. Rows from before these columns have NULL.

ALTER TABLE review_submitted
    ADD COLUMN IF NOT EXISTS line_number Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'The order\'s line that it is about, when it is about one; null in events from before this field.' AFTER comment,
    COMMENT COLUMN title 'Title; null if there is none, and always of the shop\'s own reviews: the service reviews keeps their texts, so that they can be erased.',
    COMMENT COLUMN comment 'Text; null as the title is.';

ALTER TABLE review_submitted MODIFY COMMENT 'A shopper reviewed an order, or a product or seller of it; again with the same id: wrote the review anew.';

ALTER TABLE review_published
    ADD COLUMN IF NOT EXISTS line_number Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'The order\'s line that it is about, when it is about one; null in events from before this field.' AFTER moderated_by,
    ADD COLUMN IF NOT EXISTS submitted_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When this version of it was submitted, UTC; null in events from before this field.' AFTER line_number;

ALTER TABLE review_rejected
    ADD COLUMN IF NOT EXISTS product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product that it is about, when it is about one.' AFTER moderated_by,
    ADD COLUMN IF NOT EXISTS seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller that it is about, when it is about one.' AFTER product_id,
    ADD COLUMN IF NOT EXISTS line_number Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'The order\'s line that it is about, when it is about one; null in events from before this field.' AFTER seller_id,
    ADD COLUMN IF NOT EXISTS score Nullable(Int32) CODEC(ZSTD(1)) COMMENT '1 (worst) to 5 (best); null in events from before this field.' AFTER line_number,
    ADD COLUMN IF NOT EXISTS submitted_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When this version of it was submitted, UTC; null in events from before this field.' AFTER score;

ALTER TABLE review_rejected MODIFY COMMENT 'A review will not be published, or may not be read any more.';

CREATE TABLE IF NOT EXISTS review_withdrawn
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    review_id String CODEC(ZSTD(1)) COMMENT 'The review.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who wrote it.',
    product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product that it is about, when it is about one.',
    seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller that it is about, when it is about one.',
    line_number Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'The order\'s line that it is about, when it is about one.',
    score Int32 CODEC(ZSTD(1)) COMMENT '1 (worst) to 5 (best).',
    submitted_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When this version of it was submitted, UTC; null if it is not known.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shopper took a review back, or replaced the version that was submitted at submitted_at.';

CREATE TABLE IF NOT EXISTS review_answered
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    review_id String CODEC(ZSTD(1)) COMMENT 'The review.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who replied.',
    product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product that it is about, when it is about one.',
    text Nullable(String) CODEC(ZSTD(1)) COMMENT 'The reply, which everyone may read; null if it was taken back.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller replied to a review, in public, or took the reply back.';
