CREATE OR REPLACE VIEW {view}
(
    shopper_id String COMMENT 'The person, over all of their orders.',
    registered_at DateTime64(3, 'UTC') COMMENT 'When the person became a shopper, UTC.',
    state Nullable(String) COMMENT 'State or region, such as SP; NULL if unknown, and for an erased person.',
    country Nullable(String) COMMENT 'ISO 3166-1 alpha-2 code; NULL if unknown, and for an erased person.',
    erased_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the person was erased on their request, UTC; NULL otherwise.'
)
AS
SELECT
    shopper.shopper_id AS shopper_id,
    shopper.registered_at AS registered_at,
    if(erasure.erased_at IS NULL, shopper.latest.1, NULL) AS state,
    if(erasure.erased_at IS NULL, shopper.latest.2, NULL) AS country,
    erasure.erased_at AS erased_at
FROM
(
    SELECT shopper_id, min(occurred_at) AS registered_at, argMax((state, country), occurred_at) AS latest
    FROM {facts}.shopper_registered FINAL
    GROUP BY shopper_id
) AS shopper
LEFT JOIN
(
    SELECT shopper_id, toNullable(max(occurred_at)) AS erased_at FROM {facts}.shopper_erased FINAL GROUP BY shopper_id
) AS erasure ON erasure.shopper_id = shopper.shopper_id
COMMENT 'The shoppers, without personal data.'
