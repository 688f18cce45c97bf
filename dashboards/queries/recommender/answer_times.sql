-- By day: the time until the list of an answer was chosen, the median and the 99th percentile.
SELECT
    toDateTime(toDate(day), {timezone:String}) AS time,
    if(timed > 0, times_ms[1], NULL) AS half_ms,
    if(timed > 0, times_ms[2], NULL) AS most_ms
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
