-- Lists that came into view, and whether they were clicked. A visitor with over 1,000 of them on one day is a robot, whose lists of that day are left out.
SELECT
    recommendation_id,
    occurred_at,
    day,
    visitor_id,
    surface,
    strategy,
    items,
    recommendation_id IN (
        SELECT recommendation_id FROM recommendation_clicked
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')}
            AND occurred_at < {period_end:DateTime64(3, 'UTC')} + INTERVAL 1 DAY
    ) AS is_clicked
FROM
(
    SELECT *, count() OVER (PARTITION BY visitor_id, day) AS lists
    FROM
    (
        SELECT
            recommendation_id,
            occurred_at,
            toString(toDate(occurred_at, {timezone:String})) AS day,
            visitor_id,
            surface,
            strategy,
            items,
            ({surface:String} = '' OR surface = {surface:String})
                AND ({strategy:String} = '' OR strategy = {strategy:String})
                AND ({experiment:String} = '' OR ifNull(experiment, '') = {experiment:String})
                AND ({arm:String} = '' OR ifNull(arm, '') = {arm:String}) AS is_wanted
        FROM recommendation_answered
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND recommendation_id IN (
                SELECT recommendation_id FROM recommendation_shown
                WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')}
                    AND occurred_at < {period_end:DateTime64(3, 'UTC')} + INTERVAL 1 DAY
            )
        LIMIT 1 BY recommendation_id
    )
)
WHERE is_wanted AND lists <= 1000 AND notEmpty(items)
