-- Lists that came into view by day: how many were clicked, how varied each was, and each visitor's largest category.
WITH
    seen AS
    (
        SELECT recommendation_id, day, visitor_id, items, is_clicked
        FROM q_recommendation_lists_seen(
            period_start = {period_start:DateTime64(3, 'UTC')},
            period_end = {period_end:DateTime64(3, 'UTC')},
            timezone = {timezone:String},
            surface = {surface:String},
            strategy = {strategy:String},
            experiment = {experiment:String},
            arm = {arm:String}
        )
    ),
    categories AS
    (
        SELECT product_id, category
        FROM
        (
            SELECT product_id, occurred_at, event_id, ifNull(category, '') AS category
            FROM product_listed
            UNION ALL
            SELECT product_id, occurred_at, event_id, ifNull(category, '')
            FROM product_changed
        )
        ORDER BY occurred_at DESC, event_id DESC
        LIMIT 1 BY product_id
    ),
    -- The number of places that each list gave to each category.
    places AS
    (
        SELECT
            item.day AS day,
            item.visitor_id AS visitor_id,
            item.recommendation_id AS recommendation_id,
            ifNull(categories.category, '') AS category,
            any(item.is_clicked) AS is_clicked,
            count() AS places
        FROM
        (
            SELECT recommendation_id, day, visitor_id, is_clicked, arrayJoin(items.product_id) AS product_id
            FROM seen
        ) AS item
        LEFT JOIN categories ON categories.product_id = item.product_id
        GROUP BY day, visitor_id, recommendation_id, category
    )
SELECT
    day,
    sum(lists) AS lists,
    sum(clicked) AS clicked,
    sum(compared) AS compared,
    sum(diversity) AS diversity,
    sum(visitors) AS visitors,
    sum(dominance) AS dominance
FROM
(
    SELECT
        day,
        1 AS lists,
        is_clicked AS clicked,
        products > 1 AS compared,
        if(products > 1, 1 - alike / (products * (products - 1)), 0) AS diversity,
        0 AS visitors,
        0. AS dominance
    FROM
    (
        SELECT
            day,
            recommendation_id,
            any(places.is_clicked) AS is_clicked,
            toFloat64(sum(places)) AS products,
            toFloat64(sum(places * (places - 1))) AS alike
        FROM places
        GROUP BY day, recommendation_id
    )
    UNION ALL
    SELECT day, 0, 0, 0, 0., 1, max(of_category) / sum(of_category)
    FROM
    (
        SELECT day, visitor_id, category, sum(places) AS of_category
        FROM places
        GROUP BY day, visitor_id, category
    )
    GROUP BY day, visitor_id
)
GROUP BY day
ORDER BY day
