-- Returns the rate of a seller without a category, in basis points.
SELECT (commissions_bp($1::text, NULL, NULL, 0, ARRAY[1], $2::timestamptz))[1];
