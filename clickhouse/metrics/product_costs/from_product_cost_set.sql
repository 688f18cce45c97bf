-- A cost that a seller set or removed.
SELECT
    seller_id,
    product_id,
    valid_from,
    toUInt64(greatest(version, 0)) AS version,
    currency,
    unit_cost_minor,
    removed
FROM product_cost_set
