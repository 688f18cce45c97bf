-- Lines say what the marketplace pays of a discount, and which vouchers lowered them. In rows from before, these fields are NULL.

ALTER TABLE order_placed MODIFY COLUMN lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, unit_price_minor Int64, discount_minor Int64, shipping_minor Int64, tax_minor Int64, commission_bp Int32, marketplace_minor Nullable(Int64), line_voucher_id Nullable(String), order_voucher_id Nullable(String)));

ALTER TABLE order_confirmed MODIFY COLUMN lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, unit_price_minor Int64, discount_minor Int64, shipping_minor Int64, tax_minor Int64, commission_bp Int32, marketplace_minor Nullable(Int64), line_voucher_id Nullable(String), order_voucher_id Nullable(String)));

ALTER TABLE order_cancelled MODIFY COLUMN lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, unit_price_minor Int64, discount_minor Int64, shipping_minor Int64, tax_minor Int64, commission_bp Int32, marketplace_minor Nullable(Int64), line_voucher_id Nullable(String), order_voucher_id Nullable(String)));

ALTER TABLE return_settled MODIFY COLUMN lines Array(Tuple(line_number Int32, product_id String, quantity Int32, refund_minor Int64, restocked Bool, marketplace_minor Nullable(Int64)));

ALTER TABLE payment_refunded MODIFY COLUMN lines Array(Tuple(line_number Int32, product_id String, quantity Int32, refund_minor Int64, marketplace_minor Nullable(Int64)));
