-- What is in the carts. Those that nobody has changed for a month may be deleted without an event.
SELECT cart_id, product_id, seller_id, quantity
FROM carts.audited_lines
WHERE changed_at > now() - interval '29 days';
