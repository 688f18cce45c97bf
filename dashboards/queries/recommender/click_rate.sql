-- The share of the lists that came into view that were clicked, by strategy and by bucket of the shop's time zone.
SELECT
    toDateTime(dateTrunc({grain:String}, occurred_at, {timezone:String}), {timezone:String}) AS time,
    strategy,
    countIf(is_clicked) / count() AS click_share
FROM q_recommendation_lists_seen(
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    timezone = {timezone:String},
    surface = '',
    strategy = '',
    experiment = '',
    arm = '')
GROUP BY time, strategy
ORDER BY time, strategy
