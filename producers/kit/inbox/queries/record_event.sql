-- Returns a row if the event is new. Waits for another transaction that is processing the same event.
INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id;
