-- An answer of recommendations: the list, the products that it came from, and the chance of each place.
SELECT
    recommendation_id,
    occurred_at AS answered_at,
    visitor_id,
    surface,
    anchor_product_id,
    experiment,
    arm,
    arm_propensity,
    strategy,
    model_version,
    is_explored,
    seeds,
    items,
    alternatives,
    answer_ms,
    passed_over
FROM recommendation_answered
WHERE recommendation_id = {recommendation_id:String}
LIMIT 1
