-- The table of order lines as PostgreSQL has it, and the indexes that its queries need.
CREATE TABLE sales_lines
(
    seller_id text NOT NULL,
    minute timestamptz NOT NULL,
    order_id text NOT NULL,
    kind text NOT NULL,
    return_id text NOT NULL,
    line_number integer NOT NULL,
    product_id text NOT NULL,
    currency text NOT NULL,
    orders smallint NOT NULL,
    orders_of_product smallint NOT NULL,
    lines smallint NOT NULL,
    units bigint NOT NULL,
    gross_minor bigint NOT NULL,
    discount_minor bigint NOT NULL,
    shipping_minor bigint NOT NULL,
    cancelled_orders smallint NOT NULL,
    cancelled_orders_of_product smallint NOT NULL,
    cancelled_units bigint NOT NULL,
    cancelled_gross_minor bigint NOT NULL,
    cancelled_discount_minor bigint NOT NULL,
    cancelled_shipping_minor bigint NOT NULL,
    returned_units bigint NOT NULL,
    returned_minor bigint NOT NULL,
    revenue_minor bigint NOT NULL
);
-- indexes
ALTER TABLE sales_lines ADD PRIMARY KEY (order_id, line_number, kind, return_id);
CREATE INDEX ON sales_lines (seller_id, minute) INCLUDE
(
    currency, product_id, orders, units, gross_minor, discount_minor, shipping_minor, cancelled_orders, cancelled_units,
    cancelled_gross_minor, cancelled_discount_minor, returned_units, returned_minor, revenue_minor
);
CREATE INDEX ON sales_lines (seller_id, product_id, minute) INCLUDE (currency, revenue_minor);
