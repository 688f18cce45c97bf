-- The codes of vouchers that the shopper has entered. They leave the cart with an order that was confirmed with a voucher.
ALTER TABLE carts ADD COLUMN voucher_codes text [] NOT NULL DEFAULT '{}' CHECK (cardinality(voucher_codes) <= 5);
