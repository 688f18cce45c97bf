CREATE OR REPLACE VIEW {view}
(
    seller_id Nullable(String) COMMENT 'Whose product was shown; NULL if unknown.',
    shown_at DateTime64(3, 'UTC') COMMENT 'When the list came into view, UTC.',
    recommendation_id String COMMENT 'The list.',
    position Int32 COMMENT 'Place in the list, from 1.',
    product_id String COMMENT 'The product.',
    clicked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the product was clicked first, UTC; NULL if it was not.',
    session_id String COMMENT 'The session of the browser.',
    surface String COMMENT 'Where on the page: home, product, cart, order, search or email.',
    strategy String COMMENT 'Strategy of the list, such as blend or popular.',
    source Nullable(String) COMMENT 'Recommender that proposed the product, if another one.',
    model_version Nullable(String) COMMENT 'Version of the trained model, if one was used.',
    experiment Nullable(String) COMMENT 'Experiment under way.',
    variant Nullable(String) COMMENT 'The arm of the experiment.',
    anchor_product_id Nullable(String) COMMENT 'The product beside which the list was shown.'
)
AS
SELECT
    shown.seller_id AS seller_id,
    shown.shown_at AS shown_at,
    shown.recommendation_id AS recommendation_id,
    shown.position AS position,
    shown.product_id AS product_id,
    click.clicked_at AS clicked_at,
    shown.session_id AS session_id,
    shown.surface AS surface,
    shown.strategy AS strategy,
    shown.source AS source,
    shown.model_version AS model_version,
    shown.experiment AS experiment,
    shown.variant AS variant,
    shown.anchor_product_id AS anchor_product_id
FROM
(
    SELECT
        item.seller_id AS seller_id, occurred_at AS shown_at, recommendation_id, item.position AS position,
        item.product_id AS product_id, session_id, surface, strategy, item.source AS source, model_version, experiment,
        variant, anchor_product_id
    FROM {facts}.recommendation_shown FINAL
    ARRAY JOIN items AS item
) AS shown
LEFT JOIN
(
    SELECT recommendation_id, product_id, toNullable(min(occurred_at)) AS clicked_at
    FROM {facts}.recommendation_clicked FINAL
    GROUP BY recommendation_id, product_id
) AS click ON click.recommendation_id = shown.recommendation_id AND click.product_id = shown.product_id
COMMENT 'The recommended products that visitors saw: one row for each product of each list, with its click.'
