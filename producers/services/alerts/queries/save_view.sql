INSERT INTO views (view_id, seller_id, name, choices, created_at)
SELECT $1::uuid, $2::text, $3::text, $4::jsonb, $5::timestamptz
WHERE (SELECT count(*) FROM views WHERE seller_id = $2 AND name <> $3) < $6::integer
ON CONFLICT (seller_id, name) DO UPDATE SET choices = excluded.choices
RETURNING view_id, name, choices, created_at;
