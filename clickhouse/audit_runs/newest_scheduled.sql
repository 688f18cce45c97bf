-- How many nightly audits have compared something or run now, and when the newest of them began.
SELECT count() AS audits, max(started_at) AS newest_started_at
FROM audits FINAL
WHERE trigger = 'scheduled' AND outcome IN ('running', 'agree', 'differ', 'incomplete', 'nothing')
