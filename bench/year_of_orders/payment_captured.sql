-- Adds the payments of the orders with the numbers from `first` on, one each.
INSERT INTO payment_captured
    (event_id, occurred_at, payment_id, order_id, shopper_id, method, installments, currency, amount_minor)
WITH
    toInt64({begin_ms:Int64} + intDiv(number * {length_ms:UInt64}, {orders:UInt64})) AS placed_ms,
    lower(substring(hex(placed_ms), 5)) AS time_digits
SELECT
    concat(time_digits, '7', lower(substring(hex(sipHash128('paid', number)), 14))) AS event_id,
    fromUnixTimestamp64Milli(placed_ms + 1000, 'UTC') AS occurred_at,
    concat(time_digits, '7', lower(substring(hex(sipHash128('payment', number)), 14))) AS payment_id,
    concat(time_digits, '7', lower(substring(hex(sipHash128('order', number)), 14))) AS order_id,
    concat('shopper-', toString(sipHash64('shopper', number) % 96000)) AS shopper_id,
    ['credit_card', 'credit_card', 'credit_card', 'boleto', 'voucher'][1 + sipHash64('method', number) % 5] AS method,
    1 AS installments,
    {currency:String} AS currency,
    1000 + sipHash64('amount', number) % 60000 AS amount_minor
FROM numbers({first:UInt64}, {count:UInt64})
