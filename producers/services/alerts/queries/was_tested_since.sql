SELECT EXISTS (SELECT FROM messages WHERE rule_id = $1::uuid AND kind = 'test' AND created_at > $2::timestamptz);
