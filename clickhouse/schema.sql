-- What the migrations build; written by `python -m clickhouse.schema`, checked by tests/contracts.
-- The tables of clickhouse/metrics/ are missing here.

CREATE TABLE alert_raised
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `alert_id` String COMMENT 'The alert; raised and resolved share it.' CODEC(ZSTD(1)),
    `name` String COMMENT 'The rule, such as consumer_lag.' CODEC(ZSTD(1)),
    `severity` LowCardinality(String) COMMENT 'How bad.',
    `status` LowCardinality(String) COMMENT 'Whether it still holds.',
    `part` String COMMENT 'The part of the platform that it is about.' CODEC(ZSTD(1)),
    `message` String COMMENT 'What happened and what to do, for people.' CODEC(ZSTD(1)),
    `value` Nullable(Float64) COMMENT 'What was measured.' CODEC(ZSTD(1)),
    `threshold` Nullable(Float64) COMMENT 'What it was compared with.' CODEC(ZSTD(1)),
    `labels` Map(String, String) COMMENT 'Further marks, such as topic or seller_id.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (name, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Something needs an operator, or no longer does.';

CREATE TABLE audit_differences
(
    `audit_id` String COMMENT 'The audit.' CODEC(ZSTD(1)),
    `found_at` DateTime64(3, 'UTC') COMMENT 'When the audit ended, UTC.',
    `comparison` LowCardinality(String) COMMENT 'The comparison, such as kafka_vs_facts.',
    `subject` String COMMENT 'What was compared.' CODEC(ZSTD(1)),
    `number` UInt32 COMMENT 'The place among the stored differences of the audit, from 0.',
    `left_store` LowCardinality(String) COMMENT 'The store that is right by definition.',
    `right_store` LowCardinality(String) COMMENT 'The store that was checked.',
    `key` String COMMENT 'The row, as name=value.' CODEC(ZSTD(1)),
    `field` String COMMENT 'The figure; "row" if one side has no such row.' CODEC(ZSTD(1)),
    `left_value` String COMMENT 'The value of the left store, shortened; empty if it has no such row.' CODEC(ZSTD(1)),
    `right_value` String COMMENT 'The value of the right store, shortened; empty if it has no such row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (audit_id, number)
TTL toDateTime(found_at) + toIntervalDay(90)
SETTINGS index_granularity = 8192
COMMENT 'The first differences that each audit found.';

CREATE TABLE audit_results
(
    `audited_at` DateTime64(3, 'UTC') COMMENT 'When the audit ended, UTC.' CODEC(Delta(8), ZSTD(1)),
    `comparison` LowCardinality(String) COMMENT 'The comparison, such as kafka_vs_facts.',
    `subject` String COMMENT 'What was compared, such as "every field of order_placed".' CODEC(ZSTD(1)),
    `left_store` LowCardinality(String) COMMENT 'The store that is right by definition.',
    `right_store` LowCardinality(String) COMMENT 'The store that was checked.',
    `rows` UInt64 COMMENT 'Distinct keys of both sides.' CODEC(ZSTD(1)),
    `figures` UInt64 COMMENT 'Single values that were compared.' CODEC(ZSTD(1)),
    `differences` UInt64 COMMENT 'Figures on which the two sides disagree.' CODEC(ZSTD(1)),
    `explained` UInt64 COMMENT 'Rows that one side lacks because they are dead letters.' CODEC(ZSTD(1)),
    `unread` String COMMENT 'Why a side could not be read; empty if both were.' CODEC(ZSTD(1)),
    `audit_id` String COMMENT 'The audit; empty if it ran before audits had ids.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (comparison, audited_at, subject, left_store, right_store)
SETTINGS index_granularity = 8192
COMMENT 'What every audit found, comparison by comparison.';

CREATE TABLE audits
(
    `audit_id` String COMMENT 'UUIDv7 of the audit.' CODEC(ZSTD(1)),
    `started_at` DateTime64(3, 'UTC') COMMENT 'When it began, UTC.',
    `ended_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC; null while it runs, and if it was interrupted.',
    `trigger` LowCardinality(String) COMMENT 'What started it: scheduled or requested.',
    `is_whole` Bool COMMENT 'Whether it made every comparison.',
    `outcome` LowCardinality(String) COMMENT 'running, agree, differ, incomplete, nothing, failed, stopped or interrupted.',
    `reason` String COMMENT 'Why it has this outcome, if it compared less than everything; else empty.' CODEC(ZSTD(1)),
    `comparisons` UInt32 COMMENT 'The number of results, of which audit_results has a row each.',
    `rows` UInt64 COMMENT 'Distinct keys of both sides, of all comparisons.',
    `figures` UInt64 COMMENT 'Single values that were compared.',
    `differences` UInt64 COMMENT 'Figures on which two stores disagree.',
    `explained` UInt64 COMMENT 'Rows that one side lacks because they are dead letters.',
    `unread` UInt32 COMMENT 'Comparisons of which a side could not be read.',
    `peak_memory_mb` Nullable(Float64) COMMENT 'The peak memory of the process in MB; null if it was killed.',
    `recorded_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two rows of an audit the later stays.'
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY (started_at, audit_id)
SETTINGS index_granularity = 1024
COMMENT 'Every audit, with what started it, how long it took and what it found.';

CREATE TABLE cart_abandoned
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `cart_id` String COMMENT 'The cart.' CODEC(ZSTD(1)),
    `session_id` String COMMENT 'The last visit in which it was changed.' CODEC(ZSTD(1)),
    `shopper_id` Nullable(String) COMMENT 'The shopper; null for a guest.' CODEC(ZSTD(1)),
    `changed_at` DateTime64(3, 'UTC') COMMENT 'When it was touched last, UTC.' CODEC(Delta(8), ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `units` Int32 COMMENT 'Units of all lines.' CODEC(ZSTD(1)),
    `amount_minor` Int64 COMMENT 'Sum of the lines at the prices of this event.' CODEC(ZSTD(1)),
    `lines` Array(Tuple(
        product_id String,
        seller_id String,
        quantity Int32,
        unit_price_minor Int64)) COMMENT 'What is in the cart, without what is saved for later.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (cart_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A cart with products has not been touched for hours; said once after each change.';

CREATE TABLE cart_changed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `cart_id` String COMMENT 'The cart.' CODEC(ZSTD(1)),
    `session_id` String COMMENT 'The visit in which it happened; there is one before anyone logs in.' CODEC(ZSTD(1)),
    `shopper_id` Nullable(String) COMMENT 'The shopper, once the visit is known to be theirs.' CODEC(ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Whose offer.' CODEC(ZSTD(1)),
    `quantity_before` Int32 COMMENT 'Units before; 0 when it was added.' CODEC(ZSTD(1)),
    `quantity` Int32 COMMENT 'Units now; 0 when it was removed.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `unit_price_minor` Int64 COMMENT 'Price of one unit as shown.' CODEC(ZSTD(1)),
    `recommendation_id` Nullable(String) COMMENT 'The recommendation that led to it.' CODEC(ZSTD(1)),
    `reason` LowCardinality(Nullable(String)) COMMENT 'Why, if the shopper has not changed it: its units were ordered, carts were merged at a sign-in, the order came to nothing, the account was erased.',
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'One product\'s quantity in a cart changed.';

CREATE TABLE commission_rule_added
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `rule_id` String COMMENT 'The rule, which never changes.' CODEC(ZSTD(1)),
    `position` Int64 COMMENT 'Rules are numbered in the order in which they were added; of two that are valid from the same time, the later one applies.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'The seller whose lines it is for, null unless it is for one.' CODEC(ZSTD(1)),
    `category` Nullable(String) COMMENT 'The category whose lines it is for, null unless it is for one.' CODEC(ZSTD(1)),
    `rate_bp` Int32 COMMENT 'Commission in basis points.' CODEC(ZSTD(1)),
    `minimum_minor` Nullable(Int64) COMMENT 'Least commission of a line in minor units, null if there is none.' CODEC(ZSTD(1)),
    `maximum_minor` Nullable(Int64) COMMENT 'Most commission of a line in minor units, null if there is none.' CODEC(ZSTD(1)),
    `currency` LowCardinality(Nullable(String)) COMMENT 'ISO 4217 code of minimum and maximum, which apply to lines in it; null without them.',
    `valid_from` DateTime64(3, 'UTC') COMMENT 'When it begins to apply to orders, UTC.' CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (rule_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The marketplace keeps another share of the lines of a seller, of a category, or by default.';

CREATE TABLE ledger_posted
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `transaction_id` String COMMENT 'The transaction.' CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'What it books.',
    `order_id` Nullable(String) COMMENT 'The order behind it.' CODEC(ZSTD(1)),
    `payment_id` Nullable(String) COMMENT 'The payment behind it.' CODEC(ZSTD(1)),
    `payout_id` Nullable(String) COMMENT 'The payout behind it.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `postings` Array(Tuple(
        account String,
        owner_id Nullable(String),
        amount_minor Int64)) COMMENT 'Two or more postings; their amounts add up to 0.' CODEC(ZSTD(1)),
    `memo` Nullable(String) COMMENT 'A line for people.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (transaction_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A balanced transaction of the double-entry ledger: its postings add up to 0.';

CREATE TABLE model_cards
(
    `version` String COMMENT 'The model\'s version: when it was trained.',
    `trained_at` DateTime64(3, 'UTC') COMMENT 'When, UTC.',
    `model` LowCardinality(String) COMMENT 'The model that was chosen.',
    `published` Bool COMMENT 'Whether it was taken into use.',
    `reason` String COMMENT 'Why it was, or was not.' CODEC(ZSTD(1)),
    `card` String COMMENT 'The model card as JSON: data, split, settings, figures with intervals, time, memory.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (trained_at, version)
SETTINGS index_granularity = 8192
COMMENT 'The card of every recommender that was trained.';

CREATE TABLE notification_failed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `notification_id` String COMMENT 'The notification; the same in every attempt.' CODEC(ZSTD(1)),
    `recipient_id` String COMMENT 'Shopper, seller or operator id, as recipient_kind says.' CODEC(ZSTD(1)),
    `recipient_kind` LowCardinality(String) COMMENT 'Whom recipient_id names.',
    `channel` LowCardinality(String) COMMENT 'How it travels.',
    `template` String COMMENT 'Name of the text that was sent.' CODEC(ZSTD(1)),
    `order_id` Nullable(String) COMMENT 'The order that it is about, when it is about one.' CODEC(ZSTD(1)),
    `attempt` Int32 COMMENT 'Number of this attempt, from 1.' CODEC(ZSTD(1)),
    `final` Bool COMMENT 'No further attempt follows.' CODEC(ZSTD(1)),
    `reason` String COMMENT 'What the channel answered.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (recipient_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A message could not be sent.';

CREATE TABLE notification_sent
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `notification_id` String COMMENT 'The notification; the same in every attempt.' CODEC(ZSTD(1)),
    `recipient_id` String COMMENT 'Shopper, seller or operator id, as recipient_kind says.' CODEC(ZSTD(1)),
    `recipient_kind` LowCardinality(String) COMMENT 'Whom recipient_id names.',
    `channel` LowCardinality(String) COMMENT 'How it travels.',
    `template` String COMMENT 'Name of the text that was sent.' CODEC(ZSTD(1)),
    `order_id` Nullable(String) COMMENT 'The order that it is about, when it is about one.' CODEC(ZSTD(1)),
    `attempt` Int32 COMMENT 'Number of this attempt, from 1.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (recipient_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A message went out to a person.';

CREATE TABLE order_cancelled
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who bought: the person, not the session.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `placed_at` DateTime64(3, 'UTC') COMMENT 'When the order was placed, UTC.' CODEC(Delta(8), ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        seller_id String,
        quantity Int32,
        unit_price_minor Int64,
        discount_minor Int64,
        shipping_minor Int64,
        tax_minor Int64,
        commission_bp Int32,
        marketplace_minor Nullable(Int64),
        line_voucher_id Nullable(String),
        order_voucher_id Nullable(String))) COMMENT 'The order\'s lines; empty where the source recorded none.' CODEC(ZSTD(1)),
    `confirmed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the order was confirmed, UTC; null if it never was, and in events from before this field.' CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An order ended before delivery; carries its lines, so that whoever added them up can take them off.';

CREATE TABLE order_confirmed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who bought: the person, not the session.' CODEC(ZSTD(1)),
    `placed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the order was placed, UTC; null in events from before this field.' CODEC(Delta(8), ZSTD(1)),
    `currency` LowCardinality(Nullable(String)) COMMENT 'ISO 4217 code of every amount in this event; null in events from before this field.',
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        seller_id String,
        quantity Int32,
        unit_price_minor Int64,
        discount_minor Int64,
        shipping_minor Int64,
        tax_minor Int64,
        commission_bp Int32,
        marketplace_minor Nullable(Int64),
        line_voucher_id Nullable(String),
        order_voucher_id Nullable(String))) COMMENT 'The order\'s lines; empty where the source recorded none, and in events from before this field.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Stock is reserved and the payment is approved: sellers may ship.';

CREATE TABLE order_delivered
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shipment_id` String COMMENT 'One parcel of one seller within the order.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Whose shipment.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shipment reached the shopper.';

CREATE TABLE order_placed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(Default),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), Default),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(Default),
    `shopper_id` String COMMENT 'Who bought: the person, not the session.' CODEC(Default),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        seller_id String,
        quantity Int32,
        unit_price_minor Int64,
        discount_minor Int64,
        shipping_minor Int64,
        tax_minor Int64,
        commission_bp Int32,
        marketplace_minor Nullable(Int64),
        line_voucher_id Nullable(String),
        order_voucher_id Nullable(String))) COMMENT 'The order\'s lines; empty where the source recorded none.' CODEC(Default),
    `estimated_delivery_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Delivery promised to the shopper.' CODEC(Delta(8), Default),
    `session_id` Nullable(String) COMMENT 'The visit in which it was placed; null if it is not known, and in events from before this field.' CODEC(Default),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), Default)
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shopper checked out; what was bought from whom at what price is frozen here.';

CREATE TABLE order_returned
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `return_id` String COMMENT 'The return.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who bought: the person, not the session.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'To whom it came back.' CODEC(ZSTD(1)),
    `shipment_id` Nullable(String) COMMENT 'The shipment that came back.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `placed_at` DateTime64(3, 'UTC') COMMENT 'When the order was placed, UTC.' CODEC(Delta(8), ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        quantity Int32,
        refund_minor Int64,
        restocked Bool)) COMMENT 'What came back.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Lines of a delivered order came back to their seller.';

CREATE TABLE order_shipped
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shipment_id` String COMMENT 'One parcel of one seller within the order.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Who shipped.' CODEC(ZSTD(1)),
    `carrier` Nullable(String) COMMENT 'Carrier.' CODEC(ZSTD(1)),
    `tracking_code` Nullable(String) COMMENT 'The carrier\'s code.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller handed a shipment to the carrier.';

CREATE TABLE payment_captured
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `payment_id` String COMMENT 'The payment; an order may have several.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who paid.' CODEC(ZSTD(1)),
    `method` LowCardinality(String) COMMENT 'How it was paid.',
    `installments` Int32 COMMENT 'Number of instalments; 0 where the source says 0.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `amount_minor` Int64 COMMENT 'Amount taken, 0 or more.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Money was taken for an order.';

CREATE TABLE payment_failed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `payment_id` String COMMENT 'The payment; an order may have several.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who paid.' CODEC(ZSTD(1)),
    `method` LowCardinality(String) COMMENT 'How it was paid.',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `amount_minor` Int64 COMMENT 'Amount asked for.' CODEC(ZSTD(1)),
    `attempt` Int32 COMMENT 'Number of this attempt, from 1.' CODEC(ZSTD(1)),
    `final` Bool COMMENT 'No further attempt follows.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An attempt to take money did not succeed.';

CREATE TABLE payment_refunded
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `refund_id` String COMMENT 'The refund.' CODEC(ZSTD(1)),
    `payment_id` String COMMENT 'The payment; an order may have several.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who is paid back.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `amount_minor` Int64 COMMENT 'Amount paid back, above 0.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `return_id` Nullable(String) COMMENT 'The return that it pays for.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'To whom the goods came back; null unless it pays for a return, and in events from before this field.' CODEC(ZSTD(1)),
    `placed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the order was placed, UTC; null unless it pays for a return, and in events from before this field.' CODEC(Delta(8), ZSTD(1)),
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        quantity Int32,
        refund_minor Int64,
        marketplace_minor Nullable(Int64))) COMMENT 'What came back; empty unless it pays for a return, and in events from before this field.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Money went back to a shopper.';

CREATE TABLE payout_paid
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `payout_id` String COMMENT 'The payout.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Who was paid.' CODEC(ZSTD(1)),
    `period_start_at` DateTime64(3, 'UTC') COMMENT 'Start of the period, included.' CODEC(Delta(8), ZSTD(1)),
    `period_end_at` DateTime64(3, 'UTC') COMMENT 'End of the period, excluded.' CODEC(Delta(8), ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `gross_minor` Int64 COMMENT 'Sales of the period, shipping included.' CODEC(ZSTD(1)),
    `commission_minor` Int64 COMMENT 'Commission kept by the marketplace.' CODEC(ZSTD(1)),
    `refunded_minor` Int64 COMMENT 'Refunds charged to the seller.' CODEC(ZSTD(1)),
    `amount_minor` Int64 COMMENT 'What was paid: gross less commission less refunds.' CODEC(ZSTD(1)),
    `reference` Nullable(String) COMMENT 'The bank\'s reference.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller was paid for a period.';

CREATE TABLE pipeline_progress
(
    `table_name` LowCardinality(String) COMMENT 'The table that is filled.',
    `subtask` UInt16 COMMENT 'Which of the sink\'s subtasks, from 0.',
    `parallelism` UInt16 COMMENT 'How many subtasks the sink has now; rows of a higher subtask are of an earlier run.',
    `watermark` DateTime64(3, 'UTC') COMMENT 'Event time up to which every event is in the table.',
    `version` UInt64 COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (table_name, subtask)
SETTINGS index_granularity = 8192
COMMENT 'How far each table is: the as_of of a figure is the smallest watermark of its table\'s current subtasks.';

CREATE TABLE product_changed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Whose listing changed.' CODEC(ZSTD(1)),
    `name` Nullable(String) COMMENT 'Title that shoppers read.' CODEC(ZSTD(1)),
    `category` Nullable(String) COMMENT 'Category of the catalogue.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `price_minor` Int64 COMMENT 'Price of one unit.' CODEC(ZSTD(1)),
    `weight_g` Nullable(Int32) COMMENT 'Weight in grams, packed.' CODEC(ZSTD(1)),
    `length_cm` Nullable(Int32) COMMENT 'Length in centimetres, packed.' CODEC(ZSTD(1)),
    `height_cm` Nullable(Int32) COMMENT 'Height in centimetres, packed.' CODEC(ZSTD(1)),
    `width_cm` Nullable(Int32) COMMENT 'Width in centimetres, packed.' CODEC(ZSTD(1)),
    `photos` Nullable(Int32) COMMENT 'Number of photos.' CODEC(ZSTD(1)),
    `description` Nullable(String) COMMENT 'What the seller says of it; plain text.' CODEC(ZSTD(1)),
    `group_id` Nullable(String) COMMENT 'What the variants of one product have in common; null without variants.' CODEC(ZSTD(1)),
    `attributes` Map(String, String) COMMENT 'Attribute to value, such as colour to blue.' CODEC(ZSTD(1)),
    `condition` LowCardinality(String) DEFAULT 'new' COMMENT 'Condition of the seller\'s units.',
    `handling_days` Nullable(Int32) COMMENT 'Working days until the seller hands it to a carrier, at most.' CODEC(ZSTD(1)),
    `sku` Nullable(String) COMMENT 'The seller\'s own number of it.' CODEC(ZSTD(1)),
    `pictures` Array(String) COMMENT 'Its pictures, the first one first: the SHA-256 of each.' CODEC(ZSTD(1)),
    `changed_fields` Array(String) COMMENT 'Names of the fields above that differ from before.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A listing changed; the event holds all of it as it is now.';

CREATE TABLE product_cost_set
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Who pays it; other sellers of the product have their own cost.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `unit_cost_minor` Int64 COMMENT 'Cost of one unit; 0 if it is removed.' CODEC(ZSTD(1)),
    `removed` Bool COMMENT 'Whether the seller removed the cost that was set for the same valid_from.' CODEC(ZSTD(1)),
    `valid_from` DateTime64(3, 'UTC') COMMENT 'It applies to orders that were placed from then on, until the next cost\'s valid_from. The start of a day of the shop, UTC.' CODEC(Delta(8), ZSTD(1)),
    `version` Int64 COMMENT 'Counts the changes of this product\'s cost at this seller for the same valid_from, from 1; the highest counts.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller said what a unit of a product costs them from a day on.';

CREATE TABLE product_delisted
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Who took it off.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller no longer offers a product.';

CREATE TABLE product_listed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Who offers it; one product may have several sellers.' CODEC(ZSTD(1)),
    `name` Nullable(String) COMMENT 'Title that shoppers read.' CODEC(ZSTD(1)),
    `category` Nullable(String) COMMENT 'Category of the catalogue.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `price_minor` Int64 COMMENT 'Price of one unit.' CODEC(ZSTD(1)),
    `weight_g` Nullable(Int32) COMMENT 'Weight in grams, packed.' CODEC(ZSTD(1)),
    `length_cm` Nullable(Int32) COMMENT 'Length in centimetres, packed.' CODEC(ZSTD(1)),
    `height_cm` Nullable(Int32) COMMENT 'Height in centimetres, packed.' CODEC(ZSTD(1)),
    `width_cm` Nullable(Int32) COMMENT 'Width in centimetres, packed.' CODEC(ZSTD(1)),
    `photos` Nullable(Int32) COMMENT 'Number of photos.' CODEC(ZSTD(1)),
    `description` Nullable(String) COMMENT 'What the seller says of it; plain text.' CODEC(ZSTD(1)),
    `group_id` Nullable(String) COMMENT 'What the variants of one product have in common; null without variants.' CODEC(ZSTD(1)),
    `attributes` Map(String, String) COMMENT 'Attribute to value, such as colour to blue.' CODEC(ZSTD(1)),
    `condition` LowCardinality(String) DEFAULT 'new' COMMENT 'Condition of the seller\'s units.',
    `handling_days` Nullable(Int32) COMMENT 'Working days until the seller hands it to a carrier, at most.' CODEC(ZSTD(1)),
    `sku` Nullable(String) COMMENT 'The seller\'s own number of it.' CODEC(ZSTD(1)),
    `pictures` Array(String) COMMENT 'Its pictures, the first one first: the SHA-256 of each.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller offers a product for the first time.';

CREATE TABLE product_viewed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `session_id` String COMMENT 'The visit in which it happened; there is one before anyone logs in.' CODEC(ZSTD(1)),
    `shopper_id` Nullable(String) COMMENT 'The shopper, once the visit is known to be theirs.' CODEC(ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'Whose offer was shown.' CODEC(ZSTD(1)),
    `source` LowCardinality(String) COMMENT 'What led there.',
    `search_id` Nullable(String) COMMENT 'The search that led there.' CODEC(ZSTD(1)),
    `recommendation_id` Nullable(String) COMMENT 'The recommendation that led there.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A visitor opened a product\'s page.';

CREATE TABLE recommendation_answered
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `recommendation_id` String COMMENT 'The list; recommendation_shown, clicks and views refer to it.' CODEC(ZSTD(1)),
    `visitor_id` String COMMENT 'The shopper if the visitor is signed in, otherwise the session; experiments assign this unit to an arm.' CODEC(ZSTD(1)),
    `surface` String COMMENT 'Where on the page: home, product, cart, order.' CODEC(ZSTD(1)),
    `anchor_product_id` Nullable(String) COMMENT 'The product of the page.' CODEC(ZSTD(1)),
    `experiment` Nullable(String) COMMENT 'The experiment in which the visitor takes part; holdout for the permanent hold-out.' CODEC(ZSTD(1)),
    `arm` Nullable(String) COMMENT 'The arm of the experiment.' CODEC(ZSTD(1)),
    `arm_propensity` Float64 COMMENT 'The probability with which a random visitor gets this assignment: this arm, or no experiment.' CODEC(ZSTD(1)),
    `strategy` String COMMENT 'The strategy that answered: live, trained, blend or popular.' CODEC(ZSTD(1)),
    `model_version` Nullable(String) COMMENT 'Version of the trained model, when one was used.' CODEC(ZSTD(1)),
    `is_explored` Bool COMMENT 'Whether the list is a random draw from the products that all strategies would show.' CODEC(ZSTD(1)),
    `seeds` Array(Tuple(
        product_id String,
        weight Float64)) COMMENT 'The products of the visitor\'s history from which the list was computed, the heaviest first.' CODEC(ZSTD(1)),
    `items` Array(Tuple(
        position Int32,
        product_id String,
        seller_id String,
        score Float64,
        source String,
        propensity Float64,
        item_neighbours Nullable(Float64),
        trained_neighbours Nullable(Float64),
        similar_content Nullable(Float64),
        popular_in_category Nullable(Float64))) COMMENT 'The products of the list in order.' CODEC(ZSTD(1)),
    `alternatives` Array(Tuple(
        strategy String,
        position Int32,
        product_id String)) COMMENT 'What each strategy would have shown; only of explored lists, to judge the strategies afterwards.' CODEC(ZSTD(1)),
    `answer_ms` Nullable(Float64) COMMENT 'Time in milliseconds from the request until the list was chosen; null in events from before this field.' CODEC(ZSTD(1)),
    `passed_over` Array(Tuple(
        source String,
        reason String)) COMMENT 'The sources that were asked and did not answer; empty in events from before this field.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (recommendation_id, occurred_at, event_id)
TTL toDateTime(occurred_at) + toIntervalDay(400)
SETTINGS index_granularity = 1024
COMMENT 'The API answered a request for recommendations.';

CREATE TABLE recommendation_clicked
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `recommendation_id` String COMMENT 'The list that was clicked.' CODEC(ZSTD(1)),
    `session_id` String COMMENT 'The visit in which it happened; there is one before anyone logs in.' CODEC(ZSTD(1)),
    `shopper_id` Nullable(String) COMMENT 'The shopper, once the visit is known to be theirs.' CODEC(ZSTD(1)),
    `surface` String COMMENT 'Where on the page: home, product, cart, order, search, email.' CODEC(ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `position` Int32 COMMENT 'Place in the list, from 1.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A visitor followed a recommendation.';

CREATE TABLE recommendation_shown
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `recommendation_id` String COMMENT 'The list; clicks and views refer to it.' CODEC(ZSTD(1)),
    `session_id` String COMMENT 'The visit in which it happened; there is one before anyone logs in.' CODEC(ZSTD(1)),
    `shopper_id` Nullable(String) COMMENT 'The shopper, once the visit is known to be theirs.' CODEC(ZSTD(1)),
    `surface` String COMMENT 'Where on the page: home, product, cart, order, search, email.' CODEC(ZSTD(1)),
    `strategy` String COMMENT 'Recommender that answered, such as popular_products or item_neighbours.' CODEC(ZSTD(1)),
    `model_version` Nullable(String) COMMENT 'Version of the trained model, when one was used.' CODEC(ZSTD(1)),
    `experiment` Nullable(String) COMMENT 'Experiment under way.' CODEC(ZSTD(1)),
    `variant` Nullable(String) COMMENT 'The experiment\'s arm.' CODEC(ZSTD(1)),
    `anchor_product_id` Nullable(String) COMMENT 'The product beside which the list stood.' CODEC(ZSTD(1)),
    `items` Array(Tuple(
        position Int32,
        product_id String,
        seller_id Nullable(String),
        score Nullable(Float64),
        source Nullable(String))) COMMENT 'The products in the order shown.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A list of recommended products came into view.';

CREATE TABLE restock_needed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Whose stock.' CODEC(ZSTD(1)),
    `available` Int32 COMMENT 'Units that can still be sold.' CODEC(ZSTD(1)),
    `threshold` Int32 COMMENT 'The level at which to restock.' CODEC(ZSTD(1)),
    `suggested_quantity` Nullable(Int32) COMMENT 'Units to order, when sales allow a guess.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller\'s stock of a product fell to its threshold.';

CREATE TABLE return_settled
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `return_id` String COMMENT 'The return.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who bought: the person, not the session.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'To whom it came back.' CODEC(ZSTD(1)),
    `placed_at` DateTime64(3, 'UTC') COMMENT 'When the order was placed, UTC.' CODEC(Delta(8), ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        quantity Int32,
        refund_minor Int64,
        restocked Bool,
        marketplace_minor Nullable(Int64))) COMMENT 'What came back.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The return of some lines is accepted: its units and its money go back.';

CREATE TABLE review_answered
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `review_id` String COMMENT 'The review.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Who replied.' CODEC(ZSTD(1)),
    `product_id` Nullable(String) COMMENT 'The product that it is about, when it is about one.' CODEC(ZSTD(1)),
    `text` Nullable(String) COMMENT 'The reply, which everyone may read; null if it was taken back.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller replied to a review, in public, or took the reply back.';

CREATE TABLE review_published
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `review_id` String COMMENT 'The review.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who wrote it.' CODEC(ZSTD(1)),
    `product_id` Nullable(String) COMMENT 'The product that it is about, when it is about one.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'The seller that it is about, when it is about one.' CODEC(ZSTD(1)),
    `score` Int32 COMMENT '1 (worst) to 5 (best).' CODEC(ZSTD(1)),
    `moderated_by` Nullable(String) COMMENT 'Operator id, null when published by a rule.' CODEC(ZSTD(1)),
    `line_number` Nullable(Int32) COMMENT 'The order\'s line that it is about, when it is about one; null in events from before this field.' CODEC(ZSTD(1)),
    `submitted_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When this version of it was submitted, UTC; null in events from before this field.' CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A review may be read by everyone.';

CREATE TABLE review_rejected
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `review_id` String COMMENT 'The review.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who wrote it.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `note` Nullable(String) COMMENT 'What the shopper is told.' CODEC(ZSTD(1)),
    `moderated_by` Nullable(String) COMMENT 'Operator id, null when rejected by a rule.' CODEC(ZSTD(1)),
    `product_id` Nullable(String) COMMENT 'The product that it is about, when it is about one.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'The seller that it is about, when it is about one.' CODEC(ZSTD(1)),
    `line_number` Nullable(Int32) COMMENT 'The order\'s line that it is about, when it is about one; null in events from before this field.' CODEC(ZSTD(1)),
    `score` Nullable(Int32) COMMENT '1 (worst) to 5 (best); null in events from before this field.' CODEC(ZSTD(1)),
    `submitted_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When this version of it was submitted, UTC; null in events from before this field.' CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A review will not be published, or may not be read any more.';

CREATE TABLE review_submitted
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `review_id` String COMMENT 'The review.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who wrote it.' CODEC(ZSTD(1)),
    `product_id` Nullable(String) COMMENT 'The product that it is about, when it is about one.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'The seller that it is about, when it is about one.' CODEC(ZSTD(1)),
    `score` Int32 COMMENT '1 (worst) to 5 (best).' CODEC(ZSTD(1)),
    `title` Nullable(String) COMMENT 'Title; null if there is none, and always of the shop\'s own reviews: the service reviews keeps their texts, so that they can be erased.' CODEC(ZSTD(1)),
    `comment` Nullable(String) COMMENT 'Text; null as the title is.' CODEC(ZSTD(1)),
    `line_number` Nullable(Int32) COMMENT 'The order\'s line that it is about, when it is about one; null in events from before this field.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shopper reviewed an order, or a product or seller of it; again with the same id: wrote the review anew.';

CREATE TABLE review_withdrawn
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `review_id` String COMMENT 'The review.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `shopper_id` String COMMENT 'Who wrote it.' CODEC(ZSTD(1)),
    `product_id` Nullable(String) COMMENT 'The product that it is about, when it is about one.' CODEC(ZSTD(1)),
    `seller_id` Nullable(String) COMMENT 'The seller that it is about, when it is about one.' CODEC(ZSTD(1)),
    `line_number` Nullable(Int32) COMMENT 'The order\'s line that it is about, when it is about one.' CODEC(ZSTD(1)),
    `score` Int32 COMMENT '1 (worst) to 5 (best).' CODEC(ZSTD(1)),
    `submitted_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When this version of it was submitted, UTC; null if it is not known.' CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A shopper took a review back, or replaced the version that was submitted at submitted_at.';

CREATE TABLE schema_migrations
(
    `number` UInt32 COMMENT 'The NNNN of NNNN_name.sql.',
    `name` String COMMENT 'The file\'s name.',
    `sha256` String COMMENT 'Of the file\'s bytes when it was applied.',
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, UTC.'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
SETTINGS index_granularity = 8192
COMMENT 'Which migrations this database has had.';

CREATE TABLE search_performed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `search_id` String COMMENT 'The search; following pages share it.' CODEC(ZSTD(1)),
    `session_id` String COMMENT 'The visit in which it happened; there is one before anyone logs in.' CODEC(ZSTD(1)),
    `shopper_id` Nullable(String) COMMENT 'The shopper, once the visit is known to be theirs.' CODEC(ZSTD(1)),
    `query` String COMMENT 'Text as typed.' CODEC(ZSTD(1)),
    `filters` Map(String, String) COMMENT 'Filter name to value; empty without filters.' CODEC(ZSTD(1)),
    `page_number` Int32 COMMENT 'Page of the results, from 1.' CODEC(ZSTD(1)),
    `result_count` Int32 COMMENT 'Results in all, over every page.' CODEC(ZSTD(1)),
    `product_ids` Array(String) COMMENT 'Products on this page, best first.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (session_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A visitor searched and saw a page of results.';

CREATE TABLE seller_approved
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `seller_id` String COMMENT 'The seller.' CODEC(ZSTD(1)),
    `commission_bp` Int32 COMMENT 'Commission agreed, in basis points; later orders freeze it.' CODEC(ZSTD(1)),
    `approved_by` Nullable(String) COMMENT 'Operator id, null when approved by a rule.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An operator let a seller sell.';

CREATE TABLE seller_changed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `seller_id` String COMMENT 'The seller.' CODEC(ZSTD(1)),
    `name` Nullable(String) COMMENT 'Shop name.' CODEC(ZSTD(1)),
    `description` Nullable(String) COMMENT 'What the seller says about the shop.' CODEC(ZSTD(1)),
    `zip_prefix` Nullable(String) COMMENT 'First digits of the postal code, leading zeros kept.' CODEC(ZSTD(1)),
    `city` Nullable(String) COMMENT 'City as the seller wrote it.' CODEC(ZSTD(1)),
    `state` Nullable(String) COMMENT 'State or region code, such as SP.' CODEC(ZSTD(1)),
    `country` Nullable(String) COMMENT 'ISO 3166-1 alpha-2 code.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The public profile of a seller changed; the event holds all of it as it is now.';

CREATE VIEW seller_profiles
(
    `seller_id` String,
    `name` Nullable(String),
    `description` Nullable(String),
    `zip_prefix` Nullable(String),
    `city` Nullable(String),
    `state` Nullable(String),
    `country` Nullable(String),
    `registered_at` DateTime64(3, 'UTC')
)
AS SELECT
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
        SELECT
            seller_id,
            event_id,
            occurred_at,
            0 AS changed,
            name,
            CAST(NULL, 'Nullable(String)') AS description,
            zip_prefix,
            city,
            state,
            country
        FROM souk.seller_registered
        UNION ALL
        SELECT
            seller_id,
            event_id,
            occurred_at,
            1 AS changed,
            name,
            description,
            zip_prefix,
            city,
            state,
            country
        FROM souk.seller_changed
    )
    GROUP BY seller_id
    HAVING countIf(changed = 0) > 0
);

CREATE TABLE seller_registered
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `seller_id` String COMMENT 'The seller.' CODEC(ZSTD(1)),
    `name` Nullable(String) COMMENT 'Shop name.' CODEC(ZSTD(1)),
    `zip_prefix` Nullable(String) COMMENT 'First digits of the postal code, leading zeros kept.' CODEC(ZSTD(1)),
    `city` Nullable(String) COMMENT 'City as written by the source.' CODEC(ZSTD(1)),
    `state` Nullable(String) COMMENT 'State or region code, such as SP.' CODEC(ZSTD(1)),
    `country` Nullable(String) COMMENT 'ISO 3166-1 alpha-2 code.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller applied to sell.';

CREATE TABLE seller_status_changed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `seller_id` String COMMENT 'The seller.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'Only an approved seller may sell.',
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller may sell from now on, or not any more.';

CREATE TABLE setting_changed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `name` String COMMENT 'The setting.' CODEC(ZSTD(1)),
    `scope` String COMMENT 'What it applies to: platform, or a seller id.' CODEC(ZSTD(1)),
    `old_value` Nullable(String) COMMENT 'Value before as JSON, null when it was unset.' CODEC(ZSTD(1)),
    `new_value` Nullable(String) COMMENT 'Value now as JSON, null when it is unset.' CODEC(ZSTD(1)),
    `changed_by` Nullable(String) COMMENT 'The process that changed it, such as platform:cli; null when a person did, whom only the service\'s history names.' CODEC(ZSTD(1)),
    `type` Nullable(String) COMMENT 'boolean, number, text or rollout; null in events from before this field.' CODEC(ZSTD(1)),
    `version` Nullable(Int64) COMMENT 'The number of changes of the setting up to this one; null in events from before this field.' CODEC(ZSTD(1)),
    `reason` Nullable(String) COMMENT 'Why it was changed; null in events from before this field.' CODEC(ZSTD(1)),
    `rolled_back_to` Nullable(Int64) COMMENT 'The version whose value was restored, 0 for the default; null unless it was a roll-back.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (name, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A setting of the platform has a new value.';

CREATE TABLE shopper_erased
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `shopper_id` String COMMENT 'The id under which the person bought. Their orders keep it.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (shopper_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A person was erased on their request: nothing links the shopper\'s id to a person any more.';

CREATE TABLE shopper_registered
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `shopper_id` String COMMENT 'The person, over all of their orders.' CODEC(ZSTD(1)),
    `zip_prefix` Nullable(String) COMMENT 'First digits of the postal code, leading zeros kept.' CODEC(ZSTD(1)),
    `city` Nullable(String) COMMENT 'City as written by the source.' CODEC(ZSTD(1)),
    `state` Nullable(String) COMMENT 'State or region code, such as SP.' CODEC(ZSTD(1)),
    `country` Nullable(String) COMMENT 'ISO 3166-1 alpha-2 code.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (shopper_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A person became a shopper.';

CREATE TABLE signals
(
    `seller_id` String COMMENT 'The seller whom it concerns; empty if it concerns the marketplace only.' CODEC(ZSTD(1)),
    `signal_id` String COMMENT 'Digest of the kind, the seller, the subject and the hour in which it was raised.' CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'payment_failures, conversion_fall, review_flood, low_review_flood, stock_end or cancellation_wave.',
    `subject_kind` LowCardinality(String) COMMENT 'What it is about: product, seller or payment_method.',
    `subject_id` String COMMENT 'The product, the seller or the payment method that it is about.' CODEC(ZSTD(1)),
    `first_at` DateTime64(3, 'UTC') COMMENT 'When what it reports began, UTC.' CODEC(Delta(8), ZSTD(1)),
    `last_at` DateTime64(3, 'UTC') COMMENT 'When it was complete, so that the signal was raised, UTC.' CODEC(Delta(8), ZSTD(1)),
    `figures` Map(String, Int64) COMMENT 'The figures that raised it, such as sessions and orders.' CODEC(ZSTD(1)),
    `sentence` String COMMENT 'What happened, in one or two sentences for people.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of a signal the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
ORDER BY (seller_id, signal_id)
SETTINGS index_granularity = 1024
COMMENT 'What sellers and operators must know of: patterns of events that job signals has recognised.';

CREATE TABLE stock_changed
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `product_id` String COMMENT 'The product.' CODEC(ZSTD(1)),
    `seller_id` String COMMENT 'Whose stock.' CODEC(ZSTD(1)),
    `change` Int32 COMMENT 'Change of on_hand, negative when it fell; 0 when only reserved changed.' CODEC(ZSTD(1)),
    `on_hand` Int32 COMMENT 'Units in the seller\'s hands now.' CODEC(ZSTD(1)),
    `reserved` Int32 COMMENT 'Of them, units held for orders.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `order_id` Nullable(String) COMMENT 'The order that caused it, when one did.' CODEC(ZSTD(1)),
    `version` Int64 COMMENT 'Counts the changes of this product at this seller, from 1; the highest is the current state.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller\'s stock of a product is different now; the event holds the new state.';

CREATE TABLE stock_refused
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        seller_id String,
        quantity Int32,
        available Int32)) COMMENT 'The lines that fell short.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'An order can\'t be had: nothing was held.';

CREATE TABLE stock_released
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `reservation_id` String COMMENT 'The reservation of the whole order.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why.',
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        seller_id String,
        quantity Int32)) COMMENT 'What was given back.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A reservation was given back.';

CREATE TABLE stock_reserved
(
    `event_id` String COMMENT 'UUIDv7; the same fact sent twice has the same id.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `reservation_id` String COMMENT 'The reservation of the whole order.' CODEC(ZSTD(1)),
    `order_id` String COMMENT 'The order; one checkout is one order.' CODEC(ZSTD(1)),
    `expires_at` DateTime64(3, 'UTC') COMMENT 'Released then, unless confirmed.' CODEC(Delta(8), ZSTD(1)),
    `lines` Array(Tuple(
        line_number Int32,
        product_id String,
        seller_id String,
        quantity Int32)) COMMENT 'What is held.' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Every line of an order is held for it until it is paid.';

CREATE TABLE stored_minor_digits
(
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code.',
    `digits` UInt8 COMMENT 'The decimals of its minor unit: 2 for cents.'
)
ENGINE = ReplacingMergeTree
ORDER BY currency
SETTINGS index_granularity = 8192
COMMENT 'The decimals with which amounts of the shop\'s currency are stored.';

CREATE TABLE trainings
(
    `training_id` String COMMENT 'UUIDv7 of the training; the version if it was trained before trainings were recorded.' CODEC(ZSTD(1)),
    `started_at` DateTime64(3, 'UTC') COMMENT 'When it began, UTC.',
    `ended_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC; null while it runs, and if it was interrupted.',
    `trigger` LowCardinality(String) COMMENT 'What started it: first, scheduled, drift, requested; not_recorded before trainings were recorded.',
    `trigger_details` String COMMENT 'Figures of the drift that started it, or empty.' CODEC(ZSTD(1)),
    `outcome` LowCardinality(String) COMMENT 'running, published, kept, too_little, no_room, failed, stopped or interrupted.',
    `reason` String COMMENT 'Why it has this outcome.' CODEC(ZSTD(1)),
    `version` Nullable(String) COMMENT 'The version of the model, which has a row in model_cards; null if the training ended before.',
    `model` Nullable(String) COMMENT 'The model that was chosen.',
    `events` Nullable(UInt64) COMMENT 'The number of events that it learned from.',
    `first_event_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the oldest of these events happened, UTC.',
    `last_event_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the newest of these events happened, UTC.',
    `peak_memory_mb` Nullable(Float64) COMMENT 'The peak memory of the process in MB; null if it was killed.',
    `recorded_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two rows of a training the later stays.'
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY (started_at, training_id)
SETTINGS index_granularity = 1024
COMMENT 'Every training of the recommender, with what started it and how it ended.';
