SELECT end_access(user_id) FROM unnest($1::uuid[]) AS user_id;
