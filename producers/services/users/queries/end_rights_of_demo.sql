UPDATE people SET rights_since = $1::timestamptz WHERE is_demo;
