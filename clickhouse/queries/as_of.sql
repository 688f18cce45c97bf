-- The event time up to which each table is complete: its lowest watermark, limited by its services' reports.
WITH
    -- Service → the time up to which all its events are in Kafka. A service that has never reported sets no limit.
    (
        SELECT mapFromArrays(groupArray(substring(table_name, 8)), groupArray(watermark))
        FROM pipeline_progress FINAL
        WHERE startsWith(table_name, 'outbox.')
    ) AS complete_until,
    -- Metric that ClickHouse derives from facts (clickhouse/metrics/) → the tables of these facts.
    map(
        'order_lines', ['order_placed'],
        'session_orders', ['order_placed'],
        'funnel_steps', ['product_viewed', 'cart_changed', 'order_placed'],
        'session_steps', ['product_viewed', 'cart_changed', 'search_performed', 'recommendation_clicked', 'order_placed'],
        'search_pages', ['search_performed'],
        'search_visitors', ['search_performed'],
        'search_clicks', ['product_viewed'],
        'order_state', ['order_placed', 'order_confirmed', 'order_shipped', 'order_delivered', 'order_cancelled'],
        'sales_lines', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'sales_orders', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'return_lines', ['order_returned', 'payment_refunded'],
        'earning_lines', ['order_confirmed', 'order_cancelled', 'payment_refunded', 'payout_paid'],
        'product_costs', ['product_cost_set'],
        'stock_levels', ['stock_changed'],
        'offer_changes', ['product_listed', 'product_changed', 'product_delisted'],
        'parcels', ['order_placed', 'order_confirmed', 'order_shipped', 'order_delivered', 'order_cancelled'],
        'review_scores', ['review_submitted'],
        'product_views', ['product_viewed'],
        'customer_orders', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'recommended_items', ['recommendation_shown'],
        'recommendation_lists', ['recommendation_shown'],
        'recommendation_lists_minute', ['recommendation_shown'],
        'recommendation_clicks', ['recommendation_clicked'],
        'captured_payments', ['payment_captured'],
        'seller_sales_minute', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'seller_sales_hour', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'seller_sales_day', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'product_sales_minute', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'marketplace_sales_minute', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'marketplace_sales_quarter_hour', ['order_confirmed', 'order_cancelled', 'payment_refunded'],
        'payments_minute', ['payment_captured'],
        'payments_quarter_hour', ['payment_captured']
    ) AS facts_of,
    arrayConcat(
        if(table_name IN ('payment_captured', 'payment_failed', 'payment_refunded', 'signals'), ['payments'], []),
        if(table_name IN ('stock_reserved', 'stock_refused', 'stock_released', 'stock_changed', 'signals'), ['inventory'], []),
        if(table_name IN ('order_placed', 'order_confirmed', 'order_cancelled', 'signals'), ['orders'], []),
        if(table_name IN ('shopper_registered', 'shopper_erased'), ['users'], []),
        if(table_name IN ('seller_registered', 'seller_changed', 'seller_approved', 'product_cost_set'), ['sellers'], []),
        if(table_name IN ('setting_changed'), ['configuration'], []),
        if(table_name IN ('alert_raised'), ['alerts'], [])
    ) AS services,
    arrayMap(service -> complete_until[service], arrayFilter(service -> mapContains(complete_until, service), services))
        AS limits
SELECT
    name AS table_name,
    toUnixTimestamp64Milli(min(complete_to)) AS as_of_ms
FROM
(
    SELECT
        table_name,
        arrayMin(arrayPushBack(limits, min(watermark))) AS complete_to
    FROM
    (
        SELECT
            table_name,
            subtask,
            watermark,
            argMax(parallelism, version) OVER (PARTITION BY table_name) AS current_parallelism
        FROM pipeline_progress FINAL
        WHERE NOT startsWith(table_name, 'outbox.') AND NOT mapContains(facts_of, table_name)
    )
    WHERE subtask < current_parallelism
    GROUP BY table_name
    HAVING count() = any(current_parallelism)
)
ARRAY JOIN arrayPushBack(mapKeys(mapFilter((metric, facts) -> has(facts, table_name), facts_of)), table_name) AS name
GROUP BY name
HAVING count() = greatest(length(facts_of[name]), 1)
