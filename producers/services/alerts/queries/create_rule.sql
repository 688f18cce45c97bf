INSERT INTO rules
SELECT new_rule.*
FROM jsonb_populate_record(NULL::rules, $1::jsonb) AS new_rule
WHERE (SELECT count(*) FROM rules WHERE rules.seller_id = $2::text) < $3::integer
RETURNING *;
