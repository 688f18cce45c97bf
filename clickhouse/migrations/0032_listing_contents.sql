-- What a listing says of a product besides its name: description, variants, attributes, condition, pictures. Empty in events from before.
ALTER TABLE product_listed
    ADD COLUMN IF NOT EXISTS description Nullable(String) CODEC(ZSTD(1)) COMMENT 'What the seller says of it; plain text.' AFTER photos,
    ADD COLUMN IF NOT EXISTS group_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'What the variants of one product have in common; null without variants.' AFTER description,
    ADD COLUMN IF NOT EXISTS attributes Map(String, String) CODEC(ZSTD(1)) COMMENT 'Attribute to value, such as colour to blue.' AFTER group_id,
    ADD COLUMN IF NOT EXISTS condition LowCardinality(String) COMMENT 'Condition of the seller\'s units.' AFTER attributes,
    ADD COLUMN IF NOT EXISTS handling_days Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Working days until the seller hands it to a carrier, at most.' AFTER condition,
    ADD COLUMN IF NOT EXISTS sku Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller\'s own number of it.' AFTER handling_days,
    ADD COLUMN IF NOT EXISTS pictures Array(String) CODEC(ZSTD(1)) COMMENT 'Its pictures, the first one first: the SHA-256 of each.' AFTER sku;

ALTER TABLE product_changed
    ADD COLUMN IF NOT EXISTS description Nullable(String) CODEC(ZSTD(1)) COMMENT 'What the seller says of it; plain text.' AFTER photos,
    ADD COLUMN IF NOT EXISTS group_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'What the variants of one product have in common; null without variants.' AFTER description,
    ADD COLUMN IF NOT EXISTS attributes Map(String, String) CODEC(ZSTD(1)) COMMENT 'Attribute to value, such as colour to blue.' AFTER group_id,
    ADD COLUMN IF NOT EXISTS condition LowCardinality(String) COMMENT 'Condition of the seller\'s units.' AFTER attributes,
    ADD COLUMN IF NOT EXISTS handling_days Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Working days until the seller hands it to a carrier, at most.' AFTER condition,
    ADD COLUMN IF NOT EXISTS sku Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller\'s own number of it.' AFTER handling_days,
    ADD COLUMN IF NOT EXISTS pictures Array(String) CODEC(ZSTD(1)) COMMENT 'Its pictures, the first one first: the SHA-256 of each.' AFTER sku;
