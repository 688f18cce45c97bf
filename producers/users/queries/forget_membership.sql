SELECT forget_membership($1::uuid, $2::text);
