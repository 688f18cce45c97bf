SELECT max(send_at) FROM messages WHERE rule_id = $1::uuid AND kind <> 'test' AND status <> 'skipped';
