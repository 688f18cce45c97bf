UPDATE pseudonyms SET erased_at = $2::timestamptz WHERE shopper_id = $1::text;
