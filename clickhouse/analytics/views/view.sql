CREATE OR REPLACE VIEW {view}
(
    seller_id Nullable(String) COMMENT 'Whose offer was shown; NULL if unknown.',
    viewed_at DateTime64(3, 'UTC') COMMENT 'When, UTC.',
    product_id String COMMENT 'The product.',
    session_id String COMMENT 'The session of the browser.',
    source LowCardinality(Nullable(String)) COMMENT 'What led there: direct, search, category, recommendation, cart or external; NULL if unknown.',
    search_id Nullable(String) COMMENT 'The search that led there.',
    recommendation_id Nullable(String) COMMENT 'The list of recommendations that led there.'
)
AS
SELECT
    seller_id,
    occurred_at AS viewed_at,
    product_id,
    session_id,
    nullIf(CAST(source, 'Nullable(String)'), 'unknown') AS source,
    search_id,
    recommendation_id
FROM {facts}.product_viewed FINAL
COMMENT 'The product pages that visitors opened.'
