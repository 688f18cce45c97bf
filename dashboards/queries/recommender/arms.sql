-- The visitors of each arm of the selected experiment who were shown lists in the period.
SELECT
    if(arm = '', 'in two arms', arm) AS arm_name,
    max(units) AS visitors
FROM q_experiment_results(
    experiment = {experiment:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')})
GROUP BY arm
ORDER BY arm
