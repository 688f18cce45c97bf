DELETE FROM rules WHERE rule_id = $1::uuid;
