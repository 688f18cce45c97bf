-- Returns the rules and reports whose mails go to a person. The service users calls it when the person exports their data.
CREATE FUNCTION find_subscriptions(of_user_id uuid)
RETURNS TABLE (kind text, id uuid, seller_id text, name text, created_at timestamptz, is_enabled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = alerts, pg_temp AS $$
    SELECT 'alert', rule_id, rules.seller_id, rules.name, rules.created_at, rules.is_enabled
    FROM rules
    WHERE person_id = of_user_id
    UNION ALL
    SELECT 'report', report_id, reports.seller_id, reports.name, reports.created_at, reports.is_enabled
    FROM reports
    WHERE person_id = of_user_id
    ORDER BY 5, 2;
$$;

REVOKE ALL ON FUNCTION find_subscriptions (uuid) FROM PUBLIC;
