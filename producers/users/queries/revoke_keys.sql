SELECT revoke_keys($1::uuid, $2::text);
