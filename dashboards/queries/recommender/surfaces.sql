-- Lists that came into view and those that were clicked, by the place of the list on the page.
SELECT
    surface,
    uniqExact(recommendation_id) AS shown,
    uniqExactIf(recommendation_id, recommendation_id IN (
        SELECT recommendation_id
        FROM recommendation_clicked
        WHERE occurred_at >= {period_start:DateTime('UTC')}
    )) AS clicked,
    clicked / shown AS click_share
FROM recommendation_shown
WHERE occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY surface
ORDER BY shown DESC, surface
