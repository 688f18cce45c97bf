-- By day: how varied lists are, and how much of what a visitor sees is of one category.
SELECT
    toDateTime(toDate(day), {timezone:String}) AS time,
    if(compared > 0, diversity / compared, NULL) AS mean_diversity,
    if(visitors > 0, dominance / visitors, NULL) AS largest_category
FROM q_recommendation_health_lists(
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    timezone = {timezone:String},
    surface = '',
    strategy = '',
    experiment = '',
    arm = '')
ORDER BY time
