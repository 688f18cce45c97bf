-- What each comparison of an audit found, subject by subject.
SELECT comparison, subject, left_store, right_store, rows, figures, differences, explained, unread
FROM audit_results FINAL
WHERE audit_id = {audit_id:String} AND audit_id != ''
ORDER BY comparison, subject, left_store, right_store
