-- Every shopper whom the service registered. The ids of a replay and of the simulator have other forms.
SELECT
    shopper_id,
    toString(occurred_at) AS registered_at,
    ifNull(erased, '') AS erased_at
FROM shopper_registered FINAL
LEFT JOIN
(
    SELECT shopper_id, toString(occurred_at) AS erased FROM shopper_erased FINAL
) AS erasures USING (shopper_id)
WHERE match(shopper_id, {own_order:String})
