-- The listings on offer in the products service.
SELECT
    product_id,
    seller_id,
    (extract(epoch FROM date_trunc('milliseconds', changed_at)) * 1000)::bigint AS changed_ms,
    coalesce(name, '') AS name,
    coalesce(category, '') AS category,
    coalesce(description, '') AS description,
    coalesce(group_id, '') AS group_id,
    coalesce(sku, '') AS sku,
    condition,
    coalesce(handling_days, -1) AS handling_days,
    currency,
    price_minor,
    (SELECT coalesce(string_agg(key || '=' || value, '|' ORDER BY key COLLATE "C"), '') FROM jsonb_each_text(attributes)) AS attributes,
    (SELECT coalesce(string_agg(picture, '|' ORDER BY place), '')
        FROM jsonb_array_elements_text(pictures) WITH ORDINALITY AS each (picture, place)) AS pictures
FROM products.listings
WHERE status = 'listed' AND NOT hidden;
