SELECT revoke_access($1::uuid, $2::uuid, $3::timestamptz);
