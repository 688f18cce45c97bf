SELECT sum(points)::bigint FROM points WHERE shopper_id = $1::text;
