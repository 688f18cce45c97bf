-- Skips all messages of a rule that are not sent, also those whose last attempt has failed.
UPDATE messages SET status = 'skipped' WHERE rule_id = $1::uuid AND status = 'waiting';
