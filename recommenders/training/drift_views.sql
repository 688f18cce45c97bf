-- The number of views before and since {changed_at:DateTime64(3, 'UTC')}. Rows that arrived twice count twice.
SELECT
    countIf(occurred_at <= {changed_at:DateTime64(3, 'UTC')}) AS before,
    countIf(occurred_at > {changed_at:DateTime64(3, 'UTC')}) AS since
FROM product_viewed
WHERE occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
