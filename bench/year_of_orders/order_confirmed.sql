-- Adds the confirmed orders with the numbers from `first` on, two lines each, evenly spread over a year.
INSERT INTO order_confirmed (event_id, occurred_at, order_id, shopper_id, placed_at, currency, lines)
WITH
    toInt64({begin_ms:Int64} + intDiv(number * {length_ms:UInt64}, {orders:UInt64})) AS placed_ms,
    lower(substring(hex(placed_ms), 5)) AS time_digits -- ids begin with their time, as UUIDv7 does
SELECT
    concat(time_digits, '7', lower(substring(hex(sipHash128('event', number)), 14))) AS event_id,
    fromUnixTimestamp64Milli(placed_ms + 2000, 'UTC') AS occurred_at,
    concat(time_digits, '7', lower(substring(hex(sipHash128('order', number)), 14))) AS order_id,
    concat('shopper-', toString(sipHash64('shopper', number) % 96000)) AS shopper_id,
    fromUnixTimestamp64Milli(placed_ms, 'UTC') AS placed_at,
    {currency:String} AS currency,
    arrayMap(
        (line_number, seller) -> (
            line_number,
            concat('product-', toString(seller * 11 + sipHash64('product', number, line_number) % 11)),
            concat('seller-', leftPad(toString(seller), 4, '0')),
            1 + (sipHash64('quantity', number, line_number) % 12 = 0),
            500 + sipHash64('price', number, line_number) % 29500,
            if(sipHash64('discount', number, line_number) % 10 = 0, 100, 0),
            sipHash64('shipping', number, line_number) % 4000,
            0,
            1000,
            NULL, -- no vouchers
            NULL,
            NULL
        ),
        [1, 2],
        -- The square of a uniform number: a tenth of the sellers has a third of the lines.
        arrayMap(
            line_number -> toUInt32(
                floor(pow(sipHash64('seller', number, line_number) / exp2(64), 2) * {sellers:UInt32})
            ),
            [1, 2]
        )
    ) AS lines
FROM numbers({first:UInt64}, {count:UInt64})
