CREATE OR REPLACE VIEW {view}
(
    visitor_id String COMMENT 'The shopper if the visit is known to be theirs, else the session id of the browser.',
    shopper_id Nullable(String) COMMENT 'The shopper; NULL for a visitor who never logged in.',
    started_at DateTime64(3, 'UTC') COMMENT 'First event, UTC.',
    ended_at DateTime64(3, 'UTC') COMMENT 'Last event, UTC.',
    views UInt64 COMMENT 'Product pages opened.',
    searches UInt64 COMMENT 'Pages of search results seen.',
    recommendation_clicks UInt64 COMMENT 'Recommendations followed.',
    cart_additions UInt64 COMMENT 'Times that the shopper added units to the cart.',
    orders UInt64 COMMENT 'Orders placed in the visit; an order that names no visit counts in that of its shopper at that time.'
)
AS
SELECT
    visitor_id,
    shopper_id,
    visit[1].1 AS started_at,
    visit[-1].1 AS ended_at,
    countEqual(visit.2, 'view') AS views,
    countEqual(visit.2, 'search') AS searches,
    countEqual(visit.2, 'click') AS recommendation_clicks,
    countEqual(visit.2, 'cart') AS cart_additions,
    countEqual(visit.2, 'order') AS orders
FROM
(
    SELECT
        coalesce(shopper, session_id, '') AS visitor_id,
        max(shopper) AS shopper_id,
        arraySort(groupArrayArray(events)) AS ordered,
        arrayMap(gap -> gap >= 1800000, arrayDifference(arrayMap(event -> toUnixTimestamp64Milli(event.1), ordered))) AS starts
    FROM
    (
        -- A guest buys under the id of the session: that is no shopper who logged in.
        SELECT session_id, max(nullIf(shopper_id, session_id)) AS shopper, groupArray((at, action)) AS events
        FROM
        (
            SELECT toNullable(session_id) AS session_id, shopper_id, occurred_at AS at, 'view' AS action
            FROM {facts}.product_viewed FINAL
            UNION ALL
            SELECT session_id, shopper_id, occurred_at, 'search' FROM {facts}.search_performed FINAL
            UNION ALL
            SELECT session_id, shopper_id, occurred_at, 'click' FROM {facts}.recommendation_clicked FINAL
            UNION ALL
            SELECT session_id, shopper_id, occurred_at, 'cart' FROM {facts}.cart_changed FINAL WHERE quantity > quantity_before AND reason IS NULL
            UNION ALL
            SELECT session_id, shopper_id, occurred_at, 'order' FROM {facts}.order_placed FINAL WHERE session_id IS NOT NULL
        )
        GROUP BY session_id
        UNION ALL
        SELECT NULL, toNullable(shopper_id), groupArray((occurred_at, 'order'))
        FROM {facts}.order_placed FINAL
        WHERE session_id IS NULL
        GROUP BY shopper_id
    )
    GROUP BY visitor_id
)
ARRAY JOIN arraySplit((event, starts_visit) -> starts_visit, ordered, starts) AS visit
COMMENT 'The visits: what a visitor did without a break of 30 minutes or longer.'
