-- One table an event (written by clickhouse/facts.py from schemas/events/*.avsc): what happened, one row an event id.
-- A copy of an event replaces the first at a merge; whoever counts or adds up reads FINAL.

CREATE TABLE IF NOT EXISTS shopper_registered
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'The person, over all of their orders.',
    zip_prefix Nullable(String) CODEC(ZSTD(1)) COMMENT 'First digits of the postal code, leading zeros kept.',
    city Nullable(String) CODEC(ZSTD(1)) COMMENT 'City as written by the source.',
    state Nullable(String) CODEC(ZSTD(1)) COMMENT 'State or region code, such as SP.',
    country Nullable(String) CODEC(ZSTD(1)) COMMENT 'ISO 3166-1 alpha-2 code.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (shopper_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A person became a shopper.';

CREATE TABLE IF NOT EXISTS seller_registered
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'The seller.',
    name Nullable(String) CODEC(ZSTD(1)) COMMENT 'Shop name.',
    zip_prefix Nullable(String) CODEC(ZSTD(1)) COMMENT 'First digits of the postal code, leading zeros kept.',
    city Nullable(String) CODEC(ZSTD(1)) COMMENT 'City as written by the source.',
    state Nullable(String) CODEC(ZSTD(1)) COMMENT 'State or region code, such as SP.',
    country Nullable(String) CODEC(ZSTD(1)) COMMENT 'ISO 3166-1 alpha-2 code.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller applied to sell.';

CREATE TABLE IF NOT EXISTS seller_approved
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'The seller.',
    commission_bp Int32 CODEC(ZSTD(1)) COMMENT 'Commission agreed, in basis points; later orders freeze it.',
    approved_by Nullable(String) CODEC(ZSTD(1)) COMMENT 'Operator id, null when approved by a rule.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An operator let a seller sell.';

CREATE TABLE IF NOT EXISTS product_listed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who offers it; one product may have several sellers.',
    name Nullable(String) CODEC(ZSTD(1)) COMMENT 'Title that shoppers read.',
    category Nullable(String) CODEC(ZSTD(1)) COMMENT 'Category of the catalogue.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    price_minor Int64 CODEC(ZSTD(1)) COMMENT 'Price of one unit.',
    weight_g Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Weight in grams, packed.',
    length_cm Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Length in centimetres, packed.',
    height_cm Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Height in centimetres, packed.',
    width_cm Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Width in centimetres, packed.',
    photos Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Number of photos.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller offers a product for the first time.';

CREATE TABLE IF NOT EXISTS product_changed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Whose listing changed.',
    name Nullable(String) CODEC(ZSTD(1)) COMMENT 'Title that shoppers read.',
    category Nullable(String) CODEC(ZSTD(1)) COMMENT 'Category of the catalogue.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    price_minor Int64 CODEC(ZSTD(1)) COMMENT 'Price of one unit.',
    weight_g Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Weight in grams, packed.',
    length_cm Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Length in centimetres, packed.',
    height_cm Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Height in centimetres, packed.',
    width_cm Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Width in centimetres, packed.',
    photos Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Number of photos.',
    changed_fields Array(String) CODEC(ZSTD(1)) COMMENT 'Names of the fields above that differ from before.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A listing changed; the event holds all of it as it is now.';

CREATE TABLE IF NOT EXISTS product_delisted
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who took it off.',
    reason LowCardinality(String) COMMENT 'Why.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller no longer offers a product.';

CREATE TABLE IF NOT EXISTS product_viewed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    session_id String CODEC(ZSTD(1)) COMMENT 'The visit in which it happened; there is one before anyone logs in.',
    shopper_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shopper, once the visit is known to be theirs.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'Whose offer was shown.',
    source LowCardinality(String) COMMENT 'What led there.',
    search_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The search that led there.',
    recommendation_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The recommendation that led there.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A visitor opened a product\'s page.';

CREATE TABLE IF NOT EXISTS search_performed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    search_id String CODEC(ZSTD(1)) COMMENT 'The search; following pages share it.',
    session_id String CODEC(ZSTD(1)) COMMENT 'The visit in which it happened; there is one before anyone logs in.',
    shopper_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shopper, once the visit is known to be theirs.',
    query String CODEC(ZSTD(1)) COMMENT 'Text as typed.',
    filters Map(String, String) CODEC(ZSTD(1)) COMMENT 'Filter name to value; empty without filters.',
    page_number Int32 CODEC(ZSTD(1)) COMMENT 'Page of the results, from 1.',
    result_count Int32 CODEC(ZSTD(1)) COMMENT 'Results in all, over every page.',
    product_ids Array(String) CODEC(ZSTD(1)) COMMENT 'Products on this page, best first.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A visitor searched and saw a page of results.';

CREATE TABLE IF NOT EXISTS cart_changed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    cart_id String CODEC(ZSTD(1)) COMMENT 'The cart.',
    session_id String CODEC(ZSTD(1)) COMMENT 'The visit in which it happened; there is one before anyone logs in.',
    shopper_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shopper, once the visit is known to be theirs.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Whose offer.',
    quantity_before Int32 CODEC(ZSTD(1)) COMMENT 'Units before; 0 when it was added.',
    quantity Int32 CODEC(ZSTD(1)) COMMENT 'Units now; 0 when it was removed.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    unit_price_minor Int64 CODEC(ZSTD(1)) COMMENT 'Price of one unit as shown.',
    recommendation_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The recommendation that led to it.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'One product\'s quantity in a cart changed.';

CREATE TABLE IF NOT EXISTS recommendation_shown
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    recommendation_id String CODEC(ZSTD(1)) COMMENT 'The list; clicks and views refer to it.',
    session_id String CODEC(ZSTD(1)) COMMENT 'The visit in which it happened; there is one before anyone logs in.',
    shopper_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shopper, once the visit is known to be theirs.',
    surface String CODEC(ZSTD(1)) COMMENT 'Where on the page: home, product, cart, search, email.',
    strategy String CODEC(ZSTD(1)) COMMENT 'Recommender that answered, such as popular_products or item_neighbours.',
    model_version Nullable(String) CODEC(ZSTD(1)) COMMENT 'Version of the trained model, when one was used.',
    experiment Nullable(String) CODEC(ZSTD(1)) COMMENT 'Experiment under way.',
    variant Nullable(String) CODEC(ZSTD(1)) COMMENT 'The experiment\'s arm.',
    anchor_product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product beside which the list stood.',
    items Array(Tuple(position Int32, product_id String, seller_id Nullable(String), score Nullable(Float64), source Nullable(String))) CODEC(ZSTD(1)) COMMENT 'The products in the order shown.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A list of recommended products came into view.';

CREATE TABLE IF NOT EXISTS recommendation_clicked
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    recommendation_id String CODEC(ZSTD(1)) COMMENT 'The list that was clicked.',
    session_id String CODEC(ZSTD(1)) COMMENT 'The visit in which it happened; there is one before anyone logs in.',
    shopper_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shopper, once the visit is known to be theirs.',
    surface String CODEC(ZSTD(1)) COMMENT 'Where on the page: home, product, cart, search, email.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    position Int32 CODEC(ZSTD(1)) COMMENT 'Place in the list, from 1.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A visitor followed a recommendation.';

CREATE TABLE IF NOT EXISTS order_placed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought: the person, not the session.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, unit_price_minor Int64, discount_minor Int64, shipping_minor Int64, tax_minor Int64, commission_bp Int32)) CODEC(ZSTD(1)) COMMENT 'The order\'s lines; empty where the source recorded none.',
    estimated_delivery_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'Delivery promised to the shopper.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shopper checked out; what was bought from whom at what price is frozen here.';

CREATE TABLE IF NOT EXISTS order_confirmed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought: the person, not the session.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Stock is reserved and the payment is approved: sellers may ship.';

CREATE TABLE IF NOT EXISTS order_cancelled
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought: the person, not the session.',
    reason LowCardinality(String) COMMENT 'Why.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the order was placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, unit_price_minor Int64, discount_minor Int64, shipping_minor Int64, tax_minor Int64, commission_bp Int32)) CODEC(ZSTD(1)) COMMENT 'The order\'s lines; empty where the source recorded none.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An order ended before delivery; carries its lines, so that whoever added them up can take them off.';

CREATE TABLE IF NOT EXISTS order_shipped
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shipment_id String CODEC(ZSTD(1)) COMMENT 'One parcel of one seller within the order.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who shipped.',
    carrier Nullable(String) CODEC(ZSTD(1)) COMMENT 'Carrier.',
    tracking_code Nullable(String) CODEC(ZSTD(1)) COMMENT 'The carrier\'s code.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller handed a shipment to the carrier.';

CREATE TABLE IF NOT EXISTS order_delivered
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shipment_id String CODEC(ZSTD(1)) COMMENT 'One parcel of one seller within the order.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Whose shipment.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shipment reached the shopper.';

CREATE TABLE IF NOT EXISTS order_returned
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    return_id String CODEC(ZSTD(1)) COMMENT 'The return.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought: the person, not the session.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'To whom it came back.',
    shipment_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shipment that came back.',
    reason LowCardinality(String) COMMENT 'Why.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the order was placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    lines Array(Tuple(line_number Int32, product_id String, quantity Int32, refund_minor Int64, restocked Bool)) CODEC(ZSTD(1)) COMMENT 'What came back.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Lines of a delivered order came back to their seller.';

CREATE TABLE IF NOT EXISTS stock_reserved
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    reservation_id String CODEC(ZSTD(1)) COMMENT 'The reservation of the whole order.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    expires_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Released then, unless confirmed.',
    lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32)) CODEC(ZSTD(1)) COMMENT 'What is held.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Every line of an order is held for it until it is paid.';

CREATE TABLE IF NOT EXISTS stock_refused
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, available Int32)) CODEC(ZSTD(1)) COMMENT 'The lines that fell short.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An order can\'t be had: nothing was held.';

CREATE TABLE IF NOT EXISTS stock_released
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    reservation_id String CODEC(ZSTD(1)) COMMENT 'The reservation of the whole order.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    reason LowCardinality(String) COMMENT 'Why.',
    lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32)) CODEC(ZSTD(1)) COMMENT 'What was given back.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A reservation was given back.';

CREATE TABLE IF NOT EXISTS stock_changed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Whose stock.',
    change Int32 CODEC(ZSTD(1)) COMMENT 'Change of on_hand, negative when it fell; 0 when only reserved changed.',
    on_hand Int32 CODEC(ZSTD(1)) COMMENT 'Units in the seller\'s hands now.',
    reserved Int32 CODEC(ZSTD(1)) COMMENT 'Of them, units held for orders.',
    reason LowCardinality(String) COMMENT 'Why.',
    order_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The order that caused it, when one did.',
    version Int64 CODEC(ZSTD(1)) COMMENT 'Counts the changes of this product at this seller, from 1; the highest is the current state.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller\'s stock of a product is different now; the event holds the new state.';

CREATE TABLE IF NOT EXISTS restock_needed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Whose stock.',
    available Int32 CODEC(ZSTD(1)) COMMENT 'Units that can still be sold.',
    threshold Int32 CODEC(ZSTD(1)) COMMENT 'The level at which to restock.',
    suggested_quantity Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Units to order, when sales allow a guess.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller\'s stock of a product fell to its threshold.';

CREATE TABLE IF NOT EXISTS payment_captured
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    payment_id String CODEC(ZSTD(1)) COMMENT 'The payment; an order may have several.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who paid.',
    method LowCardinality(String) COMMENT 'How it was paid.',
    installments Int32 CODEC(ZSTD(1)) COMMENT 'Number of instalments; 0 where the source says 0.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    amount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Amount taken, 0 or more.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Money was taken for an order.';

CREATE TABLE IF NOT EXISTS payment_failed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    payment_id String CODEC(ZSTD(1)) COMMENT 'The payment; an order may have several.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who paid.',
    method LowCardinality(String) COMMENT 'How it was paid.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    amount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Amount asked for.',
    attempt Int32 CODEC(ZSTD(1)) COMMENT 'Number of this attempt, from 1.',
    final Bool CODEC(ZSTD(1)) COMMENT 'No further attempt follows.',
    reason LowCardinality(String) COMMENT 'Why.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An attempt to take money did not succeed.';

CREATE TABLE IF NOT EXISTS payment_refunded
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    refund_id String CODEC(ZSTD(1)) COMMENT 'The refund.',
    payment_id String CODEC(ZSTD(1)) COMMENT 'The payment; an order may have several.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who is paid back.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    amount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Amount paid back, above 0.',
    reason LowCardinality(String) COMMENT 'Why.',
    return_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The return that it pays for.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Money went back to a shopper.';

CREATE TABLE IF NOT EXISTS payout_paid
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    payout_id String CODEC(ZSTD(1)) COMMENT 'The payout.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who was paid.',
    period_start_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Start of the period, included.',
    period_end_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'End of the period, excluded.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'Sales of the period, shipping included.',
    commission_minor Int64 CODEC(ZSTD(1)) COMMENT 'Commission kept by the marketplace.',
    refunded_minor Int64 CODEC(ZSTD(1)) COMMENT 'Refunds charged to the seller.',
    amount_minor Int64 CODEC(ZSTD(1)) COMMENT 'What was paid: gross less commission less refunds.',
    reference Nullable(String) CODEC(ZSTD(1)) COMMENT 'The bank\'s reference.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller was paid for a period.';

CREATE TABLE IF NOT EXISTS ledger_posted
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    transaction_id String CODEC(ZSTD(1)) COMMENT 'The transaction.',
    kind LowCardinality(String) COMMENT 'What it books.',
    order_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The order behind it.',
    payment_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The payment behind it.',
    payout_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The payout behind it.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    postings Array(Tuple(account String, owner_id Nullable(String), amount_minor Int64)) CODEC(ZSTD(1)) COMMENT 'Two or more postings; their amounts add up to 0.',
    memo Nullable(String) CODEC(ZSTD(1)) COMMENT 'A line for people.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (transaction_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A balanced transaction of the double-entry ledger: its postings add up to 0.';

CREATE TABLE IF NOT EXISTS review_submitted
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    review_id String CODEC(ZSTD(1)) COMMENT 'The review.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who wrote it.',
    product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product that it is about, when it is about one.',
    seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller that it is about, when it is about one.',
    score Int32 CODEC(ZSTD(1)) COMMENT '1 (worst) to 5 (best).',
    title Nullable(String) CODEC(ZSTD(1)) COMMENT 'Title.',
    comment Nullable(String) CODEC(ZSTD(1)) COMMENT 'Text.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shopper reviewed an order, or a product or seller of it.';

CREATE TABLE IF NOT EXISTS review_published
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    review_id String CODEC(ZSTD(1)) COMMENT 'The review.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who wrote it.',
    product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product that it is about, when it is about one.',
    seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller that it is about, when it is about one.',
    score Int32 CODEC(ZSTD(1)) COMMENT '1 (worst) to 5 (best).',
    moderated_by Nullable(String) CODEC(ZSTD(1)) COMMENT 'Operator id, null when published by a rule.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A review may be read by everyone.';

CREATE TABLE IF NOT EXISTS review_rejected
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    review_id String CODEC(ZSTD(1)) COMMENT 'The review.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who wrote it.',
    reason LowCardinality(String) COMMENT 'Why.',
    note Nullable(String) CODEC(ZSTD(1)) COMMENT 'What the shopper is told.',
    moderated_by Nullable(String) CODEC(ZSTD(1)) COMMENT 'Operator id, null when rejected by a rule.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A review will not be published.';

CREATE TABLE IF NOT EXISTS notification_sent
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    notification_id String CODEC(ZSTD(1)) COMMENT 'The notification; the same in every attempt.',
    recipient_id String CODEC(ZSTD(1)) COMMENT 'Shopper, seller or operator id, as recipient_kind says.',
    recipient_kind LowCardinality(String) COMMENT 'Whom recipient_id names.',
    channel LowCardinality(String) COMMENT 'How it travels.',
    template String CODEC(ZSTD(1)) COMMENT 'Name of the text that was sent.',
    order_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The order that it is about, when it is about one.',
    attempt Int32 CODEC(ZSTD(1)) COMMENT 'Number of this attempt, from 1.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (recipient_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A message went out to a person.';

CREATE TABLE IF NOT EXISTS notification_failed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    notification_id String CODEC(ZSTD(1)) COMMENT 'The notification; the same in every attempt.',
    recipient_id String CODEC(ZSTD(1)) COMMENT 'Shopper, seller or operator id, as recipient_kind says.',
    recipient_kind LowCardinality(String) COMMENT 'Whom recipient_id names.',
    channel LowCardinality(String) COMMENT 'How it travels.',
    template String CODEC(ZSTD(1)) COMMENT 'Name of the text that was sent.',
    order_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The order that it is about, when it is about one.',
    attempt Int32 CODEC(ZSTD(1)) COMMENT 'Number of this attempt, from 1.',
    final Bool CODEC(ZSTD(1)) COMMENT 'No further attempt follows.',
    reason String CODEC(ZSTD(1)) COMMENT 'What the channel answered.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (recipient_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A message could not be sent.';

CREATE TABLE IF NOT EXISTS setting_changed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    name String CODEC(ZSTD(1)) COMMENT 'The setting.',
    scope String CODEC(ZSTD(1)) COMMENT 'What it applies to: platform, or a seller id.',
    old_value Nullable(String) CODEC(ZSTD(1)) COMMENT 'Value before as JSON, null when it was unset.',
    new_value Nullable(String) CODEC(ZSTD(1)) COMMENT 'Value now as JSON, null when it is unset.',
    changed_by Nullable(String) CODEC(ZSTD(1)) COMMENT 'Operator id, null when changed by a rule.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (name, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A setting of the platform has a new value.';

CREATE TABLE IF NOT EXISTS alert_raised
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    alert_id String CODEC(ZSTD(1)) COMMENT 'The alert; raised and resolved share it.',
    name String CODEC(ZSTD(1)) COMMENT 'The rule, such as consumer_lag.',
    severity LowCardinality(String) COMMENT 'How bad.',
    status LowCardinality(String) COMMENT 'Whether it still holds.',
    part String CODEC(ZSTD(1)) COMMENT 'The part of the platform that it is about.',
    message String CODEC(ZSTD(1)) COMMENT 'What happened and what to do, for people.',
    value Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'What was measured.',
    threshold Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'What it was compared with.',
    labels Map(String, String) CODEC(ZSTD(1)) COMMENT 'Further marks, such as topic or seller_id.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (name, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Something needs an operator, or no longer does.';
