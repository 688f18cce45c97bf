-- Who made an alert or a report, or changed or resumed it last, and when: it works as long as this person may make it
-- (`producers/makers.py`). Those from before this migration have as maker the person who gets their mails. Those without such
-- a person pause when they are due, until somebody resumes them.
ALTER TABLE rules ADD COLUMN maker text, ADD COLUMN made_at timestamptz;
ALTER TABLE reports ADD COLUMN maker text, ADD COLUMN made_at timestamptz;
UPDATE rules SET maker = person_id::text, made_at = created_at;
UPDATE reports SET maker = person_id::text, made_at = created_at;
ALTER TABLE rules ALTER COLUMN made_at SET NOT NULL;
ALTER TABLE reports ALTER COLUMN made_at SET NOT NULL;
CREATE INDEX rules_of_maker ON rules (maker);
CREATE INDEX reports_of_maker ON reports (maker);

-- Removes a person from this service: nobody gets the mails of their rules and reports, and what they made stops. Users calls
-- it in the transaction that erases the account.
CREATE OR REPLACE FUNCTION forget_user(of_user_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = alerts, pg_temp AS $$
    UPDATE rules SET person_id = NULL, address_hint = NULL, is_enabled = false,
        disabled_reason = 'The account of the person who got its mails was deleted.'
    WHERE person_id = of_user_id;
    UPDATE reports SET person_id = NULL, address_hint = NULL, is_enabled = false,
        disabled_reason = 'The account of the person who got its mails was deleted.'
    WHERE person_id = of_user_id;
    UPDATE rules SET maker = NULL WHERE maker = of_user_id::text;
    UPDATE reports SET maker = NULL WHERE maker = of_user_id::text;
$$;
