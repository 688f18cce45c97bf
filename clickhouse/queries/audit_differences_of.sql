-- The first differences that an audit found, in the order of its comparisons.
SELECT comparison, subject, left_store, right_store, key, field, left_value, right_value
FROM audit_differences FINAL
WHERE audit_id = {audit_id:String}
ORDER BY number
