-- A sale is an order that was confirmed. What was cancelled or came back since has columns of its own, so that revenue is net
-- of both; the column revenue_minor says how, for everybody who reads it. Job metrics, whose queries changed, computes every row anew. The rows of before counted orders that were never confirmed, and nothing would overwrite
-- those, so the tables are emptied.

TRUNCATE TABLE seller_sales_minute;

TRUNCATE TABLE product_sales_minute;

TRUNCATE TABLE marketplace_sales_minute;

DELETE FROM pipeline_progress
WHERE table_name IN ('seller_sales_minute', 'product_sales_minute', 'marketplace_sales_minute');

ALTER TABLE seller_sales_minute
    ADD COLUMN IF NOT EXISTS cancelled_discount_minor Int64 CODEC(Default) COMMENT 'Discounts on them.' AFTER cancelled_gross_minor,
    ADD COLUMN IF NOT EXISTS returned_units Int64 CODEC(Default) COMMENT 'Units that came back since and were refunded.' AFTER cancelled_shipping_minor,
    ADD COLUMN IF NOT EXISTS returned_minor Int64 CODEC(Default) COMMENT 'What the shoppers got back for them.' AFTER returned_units,
    ADD COLUMN IF NOT EXISTS revenue_minor Int64 ALIAS gross_minor - discount_minor - (cancelled_gross_minor - cancelled_discount_minor) - returned_minor COMMENT 'Revenue: gross less discounts, what was cancelled and what came back.' AFTER returned_minor,
    COMMENT COLUMN orders 'Confirmed orders with a line of this seller.',
    COMMENT COLUMN cancelled_orders 'Of these orders, those cancelled since.',
    MODIFY COMMENT 'What each seller sold in each minute: orders that were confirmed, and what of them was cancelled or came back since.';

ALTER TABLE marketplace_sales_minute
    ADD COLUMN IF NOT EXISTS cancelled_discount_minor Int64 CODEC(Default) COMMENT 'Discounts on them.' AFTER cancelled_gross_minor,
    ADD COLUMN IF NOT EXISTS returned_units Int64 CODEC(Default) COMMENT 'Units that came back since and were refunded.' AFTER cancelled_shipping_minor,
    ADD COLUMN IF NOT EXISTS returned_minor Int64 CODEC(Default) COMMENT 'What the shoppers got back for them.' AFTER returned_units,
    ADD COLUMN IF NOT EXISTS revenue_minor Int64 ALIAS gross_minor - discount_minor - (cancelled_gross_minor - cancelled_discount_minor) - returned_minor COMMENT 'Revenue: gross less discounts, what was cancelled and what came back.' AFTER returned_minor,
    COMMENT COLUMN orders 'Orders that were confirmed, those without lines included.',
    COMMENT COLUMN cancelled_orders 'Of these orders, those cancelled since.',
    MODIFY COMMENT 'What the whole marketplace sold in each minute: orders that were confirmed, and what of them was cancelled or came back since.';

ALTER TABLE product_sales_minute
    ADD COLUMN IF NOT EXISTS cancelled_orders UInt64 CODEC(Default) COMMENT 'Of these orders, those cancelled since.' AFTER shipping_minor,
    ADD COLUMN IF NOT EXISTS cancelled_units Int64 CODEC(Default) COMMENT 'Units of them.' AFTER cancelled_orders,
    ADD COLUMN IF NOT EXISTS cancelled_gross_minor Int64 CODEC(Default) COMMENT 'Units of them times their prices.' AFTER cancelled_units,
    ADD COLUMN IF NOT EXISTS cancelled_discount_minor Int64 CODEC(Default) COMMENT 'Discounts on them.' AFTER cancelled_gross_minor,
    ADD COLUMN IF NOT EXISTS returned_units Int64 CODEC(Default) COMMENT 'Units that came back since and were refunded.' AFTER cancelled_discount_minor,
    ADD COLUMN IF NOT EXISTS returned_minor Int64 CODEC(Default) COMMENT 'What the shoppers got back for them.' AFTER returned_units,
    ADD COLUMN IF NOT EXISTS revenue_minor Int64 ALIAS gross_minor - discount_minor - (cancelled_gross_minor - cancelled_discount_minor) - returned_minor COMMENT 'Revenue: gross less discounts, what was cancelled and what came back.' AFTER returned_minor,
    COMMENT COLUMN orders 'Confirmed orders with a line of this product.',
    MODIFY COMMENT 'What was sold of each product in each minute: orders that were confirmed, and what of them was cancelled or came back since.';
