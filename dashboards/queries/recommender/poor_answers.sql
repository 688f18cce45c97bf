-- By day: the share of empty answers, and of personal answers that have popular products alone.
SELECT
    toDateTime(toDate(day), {timezone:String}) AS time,
    empty_lists / answers AS empty_share,
    if(personal > 0, popular_only / personal, NULL) AS popular_only_share
FROM q_recommendation_health_answers(
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    timezone = {timezone:String},
    surface = '',
    strategy = '',
    experiment = '',
    arm = '')
WHERE day != ''
ORDER BY time
