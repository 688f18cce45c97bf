-- How many of the events that each signal names are in the facts.
WITH cancelled AS
(
    SELECT order_id, occurred_at, reason, confirmed_at, arrayJoin(arrayDistinct(lines.seller_id)) AS seller
    FROM order_cancelled
)
SELECT
    signal_id,
    seller_id,
    least(named, toInt64(counted)) AS events
FROM
(
    SELECT signal.signal_id AS signal_id, signal.seller_id AS seller_id, any(signal.figures['failures']) AS named, uniqExact(fact.payment_id) AS counted
    FROM signals AS signal FINAL
    INNER JOIN payment_failed AS fact ON fact.method = signal.subject_id
    WHERE signal.kind = 'payment_failures' AND signal.subject_kind = 'payment_method'
        AND fact.occurred_at BETWEEN signal.first_at AND signal.last_at
    GROUP BY signal.signal_id, signal.seller_id

    UNION ALL

    SELECT signal.signal_id, signal.seller_id, any(signal.figures['failures']), uniqExact(fact.order_id)
    FROM signals AS signal FINAL
    INNER JOIN cancelled AS fact ON fact.seller = signal.seller_id
    WHERE fact.reason = 'payment_failed' AND signal.kind = 'payment_failures' AND signal.subject_kind = 'seller'
        AND fact.occurred_at BETWEEN signal.first_at AND signal.last_at
    GROUP BY signal.signal_id, signal.seller_id

    UNION ALL

    SELECT
        signal.signal_id,
        signal.seller_id,
        any(signal.figures[if(signal.kind = 'review_flood', 'reviews', 'low_reviews')]),
        uniqExact(fact.review_id)
    FROM signals AS signal FINAL
    INNER JOIN review_published AS fact ON coalesce(fact.product_id, fact.seller_id) = signal.subject_id
    WHERE signal.kind IN ('review_flood', 'low_review_flood')
        AND coalesce(fact.seller_id, '') = signal.seller_id
        AND fact.score <= if(signal.kind = 'review_flood', 5, 2)
        AND fact.occurred_at BETWEEN signal.first_at AND signal.last_at
    GROUP BY signal.signal_id, signal.seller_id

    UNION ALL

    SELECT signal.signal_id, signal.seller_id, any(signal.figures['cancellations']), uniqExact(fact.order_id)
    FROM signals AS signal FINAL
    INNER JOIN cancelled AS fact ON fact.seller = signal.seller_id
    WHERE fact.confirmed_at IS NOT NULL AND signal.kind = 'cancellation_wave' AND fact.occurred_at >= signal.first_at AND fact.occurred_at < signal.last_at
    GROUP BY signal.signal_id, signal.seller_id

    UNION ALL

    SELECT signal.signal_id, signal.seller_id, any(signal.figures['sessions']), uniqExact(fact.session_id)
    FROM signals AS signal FINAL
    INNER JOIN product_viewed AS fact ON fact.seller_id = signal.seller_id
    WHERE signal.kind = 'conversion_fall' AND fact.occurred_at >= signal.first_at AND fact.occurred_at < signal.last_at
    GROUP BY signal.signal_id, signal.seller_id

    UNION ALL

    -- Cancelled units are part of the sold ones here, so these are at least as many.
    SELECT signal.signal_id, signal.seller_id, any(signal.figures['units_sold']), sum(fact.units)
    FROM signals AS signal FINAL
    INNER JOIN
    (
        SELECT line.seller_id AS seller, line.product_id AS product, line.quantity AS units, occurred_at
        FROM order_confirmed FINAL
        ARRAY JOIN order_confirmed.lines AS line
    ) AS fact ON fact.seller = signal.seller_id AND fact.product = signal.subject_id
    WHERE signal.kind = 'stock_end'
        AND fact.occurred_at < signal.last_at
        AND fact.occurred_at >= signal.last_at - toIntervalDay(signal.figures['pace_days']) - toIntervalHour(1)
    GROUP BY signal.signal_id, signal.seller_id
)
