UPDATE rules SET evaluate_at = $3::timestamptz, problem = $4::text WHERE rule_id = $1::uuid AND version = $2::integer;
