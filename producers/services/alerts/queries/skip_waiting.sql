UPDATE messages SET status = 'skipped'
WHERE rule_id = $1::uuid AND status = 'waiting' AND attempts = 0 AND kind <> 'test';
