-- Sets a locked seller's status and records the step. The first approval registers the seller.
WITH moved AS (
    UPDATE sellers
    SET status = $2::text,
        registered_at = CASE WHEN $2::text = 'refused' THEN NULL ELSE coalesce(registered_at, $3::timestamptz) END
    WHERE seller_id = $1::text
)
INSERT INTO seller_steps (seller_id, occurred_at, status, reason, changed_by)
VALUES ($1::text, $3::timestamptz, $2::text, $4::text, $5::text);
