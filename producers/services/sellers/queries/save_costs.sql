-- Saves the costs that differ from the stored ones, and returns them. Removing an entry that is not there changes nothing.
INSERT INTO product_costs AS stored (seller_id, product_id, valid_from, currency, unit_cost_minor, version, changed_at)
SELECT $1::text, product_id, valid_from, $5::text, unit_cost_minor, 1, $6::timestamptz
FROM unnest($2::text[], $3::date[], $4::bigint[]) AS given (product_id, valid_from, unit_cost_minor)
WHERE unit_cost_minor IS NOT NULL
    OR EXISTS (
        SELECT FROM product_costs AS found
        WHERE found.seller_id = $1::text AND found.product_id = given.product_id AND found.valid_from = given.valid_from
    )
ON CONFLICT (seller_id, product_id, valid_from) DO UPDATE
SET currency = excluded.currency, unit_cost_minor = excluded.unit_cost_minor, version = stored.version + 1,
    changed_at = excluded.changed_at
WHERE (stored.currency, stored.unit_cost_minor) IS DISTINCT FROM (excluded.currency, excluded.unit_cost_minor)
RETURNING product_id, valid_from, unit_cost_minor, version;
