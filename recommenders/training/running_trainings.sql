-- The platform's own trainings whose end is not recorded.
SELECT training_id, started_at, trigger, trigger_details
FROM trainings FINAL
WHERE outcome = 'running' AND trigger != 'requested'
