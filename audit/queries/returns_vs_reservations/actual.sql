-- The returned units of each line, from inventory.
SELECT
    order_id::text AS order_id,
    line_number,
    returned + written_off AS units_back,
    returned AS units_restocked
FROM inventory.reserved_lines
WHERE returned + written_off > 0;
