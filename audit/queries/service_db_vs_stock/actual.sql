-- The newest change of each product's stock, by version, and the sum of all changes. Versions of history are negative.
SELECT
    product_id,
    seller_id,
    newest.1 AS on_hand,
    newest.2 AS reserved,
    newest.3 AS version,
    changes,
    changed_by,
    impossible
FROM
(
    SELECT
        product_id,
        seller_id,
        argMax((on_hand, reserved, version), version) AS newest,
        count() AS changes,
        sum(change) AS changed_by,
        countIf(on_hand < 0 OR reserved < 0 OR reserved > on_hand) AS impossible
    FROM stock_changed FINAL
    WHERE version > 0
    GROUP BY product_id, seller_id
)
