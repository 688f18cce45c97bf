-- The API's answers to requests for recommendations (event recommendation_answered).

CREATE TABLE IF NOT EXISTS recommendation_answered
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    recommendation_id String CODEC(ZSTD(1)) COMMENT 'The list; recommendation_shown, clicks and views refer to it.',
    visitor_id String CODEC(ZSTD(1)) COMMENT 'The shopper if the visitor is signed in, otherwise the session; experiments assign this unit to an arm.',
    surface String CODEC(ZSTD(1)) COMMENT 'Where on the page: home, product, cart.',
    anchor_product_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The product of the page.',
    experiment Nullable(String) CODEC(ZSTD(1)) COMMENT 'The experiment in which the visitor takes part; holdout for the permanent hold-out.',
    arm Nullable(String) CODEC(ZSTD(1)) COMMENT 'The arm of the experiment.',
    arm_propensity Float64 CODEC(ZSTD(1)) COMMENT 'The probability with which a random visitor gets this assignment: this arm, or no experiment.',
    strategy String CODEC(ZSTD(1)) COMMENT 'The strategy that answered: live, trained, blend or popular.',
    model_version Nullable(String) CODEC(ZSTD(1)) COMMENT 'Version of the trained model, when one was used.',
    is_explored Bool CODEC(ZSTD(1)) COMMENT 'Whether the list is a random draw from the products that all strategies would show.',
    seeds Array(Tuple(product_id String, weight Float64)) CODEC(ZSTD(1)) COMMENT 'The products of the visitor\'s history from which the list was computed, the heaviest first.',
    items Array(Tuple(position Int32, product_id String, seller_id String, score Float64, source String, propensity Float64, item_neighbours Nullable(Float64), trained_neighbours Nullable(Float64), similar_content Nullable(Float64))) CODEC(ZSTD(1)) COMMENT 'The products of the list in order.',
    alternatives Array(Tuple(strategy String, position Int32, product_id String)) CODEC(ZSTD(1)) COMMENT 'What each strategy would have shown; only of explored lists, to judge the strategies afterwards.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (recommendation_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The API answered a request for recommendations.';
