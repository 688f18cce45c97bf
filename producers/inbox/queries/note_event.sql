-- A row if this is the first time. Waits for another transaction that is acting on the same event.
INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id;
