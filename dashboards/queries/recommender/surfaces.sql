-- Lists that came into view and those that were clicked, by the place of the list on the page.
SELECT
    surface,
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
GROUP BY surface
ORDER BY shown DESC, surface
