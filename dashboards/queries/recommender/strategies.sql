-- Recommendation lists that came into view, and the share that was clicked, by strategy.
SELECT
    strategy,
    count() AS shown,
    countIf(is_clicked) AS clicked,
    clicked / shown AS click_share
FROM q_recommendation_lists_seen(
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    timezone = {timezone:String},
    surface = '',
    strategy = '',
    experiment = '',
    arm = '')
GROUP BY strategy
ORDER BY shown DESC, strategy
