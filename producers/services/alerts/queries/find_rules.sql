SELECT * FROM rules WHERE seller_id = $1::text ORDER BY rule_id;
