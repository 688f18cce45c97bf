-- The newest result of each comparison: its differences, the subjects that could not be read, and when.
SELECT
    comparison,
    sum(differences) AS all_differences,
    countIf(unread != '') AS unread_subjects,
    toFloat64(max(audited_at)) AS audited_at_s
FROM audit_results FINAL
WHERE (comparison, audited_at) IN (SELECT comparison, max(audited_at) FROM audit_results GROUP BY comparison)
GROUP BY comparison
