-- When a product was added to a cart or removed from it completely: Unix seconds to the millisecond, and half a
-- millisecond more for a removal. Redis keeps the latest time, so the order and the repetition of events do not matter.
-- An order takes its products out, and one that came to nothing puts them back. A cart that was merged into another one is
-- emptied, but its products are in the other one: that is no removal.
SELECT session_id, shopper_id, product_id,
  unix_s(occurred_at) + 0.001 * EXTRACT(MILLISECOND FROM occurred_at)
    + CASE WHEN quantity = 0 THEN 0.0005 ELSE 0.0000 END AS changed_s
FROM events.cart_changed
WHERE quantity > quantity_before OR (quantity = 0 AND COALESCE(reason, '') <> 'merged')
