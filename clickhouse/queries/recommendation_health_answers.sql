-- Answers of recommendations by day and, as the day '', of the whole period: time, clicks, and what they lacked.
SELECT
    day,
    count() AS answers,
    quantilesExact(0.5, 0.99)(answer_ms) AS times_ms,
    countIf(isNotNull(answer_ms)) AS timed,
    countIf(is_clicked) AS clicked,
    countIf(empty(items)) AS empty_lists,
    countIf(is_personal) AS personal,
    -- The strategy knows personal sources, but only what fills up is in the list.
    countIf(is_personal AND notEmpty(items) AND arrayAll(one -> has(fallbacks, one.source), items)) AS popular_only,
    sumMap(mapFromArrays(reasons, arrayMap(one -> toUInt64(1), reasons))) AS lacking
FROM
(
    SELECT
        arrayJoin(['', toString(toDate(occurred_at, {timezone:String}))]) AS day,
        answer_ms,
        items,
        strategy IN ('live', 'trained', 'blend') AS is_personal,
        -- The blend adds up what is popular in the visitor's categories with the other sources.
        if(strategy = 'blend', ['popular_products'], ['popular_in_category', 'popular_products']) AS fallbacks,
        recommendation_id IN (
            SELECT recommendation_id FROM recommendation_clicked
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')}
                AND occurred_at < {period_end:DateTime64(3, 'UTC')} + INTERVAL 1 DAY
        ) AS is_clicked,
        arraySort(arrayDistinct(passed_over.reason)) AS reasons
    FROM recommendation_answered
    WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        AND ({surface:String} = '' OR surface = {surface:String})
        AND ({strategy:String} = '' OR strategy = {strategy:String})
        AND ({experiment:String} = '' OR ifNull(experiment, '') = {experiment:String})
        AND ({arm:String} = '' OR ifNull(arm, '') = {arm:String})
    LIMIT 1 BY recommendation_id, day
)
GROUP BY day
ORDER BY day
