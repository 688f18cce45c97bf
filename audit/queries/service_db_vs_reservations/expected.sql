-- The units of every order: reserved, refused, released, sold and returned.
SELECT
    order_id::text AS order_id,
    (state IN ('held', 'sold', 'released', 'given_back'))::integer AS reservations,
    (state = 'refused')::integer AS refusals,
    (state IN ('released', 'given_back'))::integer AS releases,
    coalesce(sum(quantity), 0) AS units_held,
    coalesce(sum(quantity) FILTER (WHERE state IN ('sold', 'given_back')), 0) AS units_sold,
    coalesce(sum(returned), 0) AS units_returned
FROM inventory.reservations
LEFT JOIN inventory.reserved_lines USING (order_id)
WHERE state <> 'barred'
GROUP BY order_id;
