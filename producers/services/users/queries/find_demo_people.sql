-- The people of the demo who have a session.
SELECT DISTINCT user_id FROM people JOIN sessions USING (user_id) WHERE is_demo AND ended_at IS NULL ORDER BY user_id;
