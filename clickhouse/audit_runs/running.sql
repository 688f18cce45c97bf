-- The platform's own audits whose end is not recorded.
SELECT audit_id, started_at, trigger, is_whole
FROM audits FINAL
WHERE outcome = 'running' AND trigger = 'scheduled'
