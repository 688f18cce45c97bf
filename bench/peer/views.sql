-- Add each insert into the facts to the aggregates. A duplicate event counts again.

CREATE MATERIALIZED VIEW order_lines_view TO order_lines AS
SELECT
    line.seller_id AS seller_id, occurred_at AS placed_at, order_id, line.line_number AS line_number, shopper_id,
    line.product_id AS product_id, currency, line.quantity AS quantity, line.unit_price_minor AS unit_price_minor,
    line.quantity * line.unit_price_minor AS gross_minor, line.discount_minor AS discount_minor,
    line.shipping_minor AS shipping_minor, line.tax_minor AS tax_minor, line.commission_bp AS commission_bp
FROM order_placed ARRAY JOIN order_placed.lines AS line;

CREATE MATERIALIZED VIEW seller_sales_view TO seller_sales_minute AS
SELECT
    line.seller_id AS seller_id, toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute, currency,
    uniqExact(order_id) AS orders, count() AS lines, sum(line.quantity) AS units,
    sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.discount_minor) AS discount_minor,
    sum(line.shipping_minor) AS shipping_minor
FROM order_placed ARRAY JOIN order_placed.lines AS line
GROUP BY seller_id, minute, currency;

CREATE MATERIALIZED VIEW product_sales_view TO product_sales_minute AS
SELECT
    line.seller_id AS seller_id, line.product_id AS product_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute, currency,
    uniqExact(order_id) AS orders, count() AS lines, sum(line.quantity) AS units,
    sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.discount_minor) AS discount_minor,
    sum(line.shipping_minor) AS shipping_minor
FROM order_placed ARRAY JOIN order_placed.lines AS line
GROUP BY seller_id, product_id, minute, currency;

CREATE MATERIALIZED VIEW marketplace_sales_view TO marketplace_sales_minute AS
SELECT
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute, currency,
    uniqExact(order_id) AS orders, sum(length(order_placed.lines)) AS lines,
    sum(arraySum(order_placed.lines.quantity)) AS units,
    sum(arraySum(line -> line.quantity * line.unit_price_minor, order_placed.lines)) AS gross_minor,
    sum(arraySum(order_placed.lines.discount_minor)) AS discount_minor,
    sum(arraySum(order_placed.lines.shipping_minor)) AS shipping_minor
FROM order_placed
GROUP BY minute, currency;

CREATE MATERIALIZED VIEW payments_view TO payments_minute AS
SELECT
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute, method, currency, count() AS payments,
    sum(payment_captured.amount_minor) AS amount_minor
FROM payment_captured
GROUP BY minute, method, currency;

CREATE MATERIALIZED VIEW state_placed TO order_state AS
SELECT order_id, toNullable(occurred_at) AS placed_at FROM order_placed;

CREATE MATERIALIZED VIEW state_confirmed TO order_state AS
SELECT order_id, toNullable(occurred_at) AS confirmed_at FROM order_confirmed;

CREATE MATERIALIZED VIEW state_shipped TO order_state AS
SELECT order_id, toNullable(occurred_at) AS shipped_at FROM order_shipped;

CREATE MATERIALIZED VIEW state_delivered TO order_state AS
SELECT order_id, toNullable(occurred_at) AS delivered_at FROM order_delivered;
