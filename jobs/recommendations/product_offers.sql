-- The newest listing of a product by each seller, for product cards: a JSON array of objects.
SELECT /*+ STATE_TTL('listings' = '36500 d') */
  product_id, CONCAT('[', LISTAGG(listing, ','), ']') AS offers
FROM (
  SELECT product_id, CONCAT('{"listed":', CAST(listed AS STRING), ',', SUBSTRING(listing, 2)) AS listing FROM offers
) AS listings
GROUP BY product_id
