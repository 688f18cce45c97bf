-- Users is asked by requests (`producers/kit/http/peers.py`).
DROP FUNCTION find_reader (text, text), find_subscriptions (uuid),
send_to_reader (uuid, uuid, text, text, text, text, timestamptz);
