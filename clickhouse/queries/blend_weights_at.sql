-- The weights that the newest training before a moment learned or kept, as JSON: surface → source → weight.
SELECT JSONExtractRaw(card, 'blend_weights', 'weights') AS weights
FROM model_cards FINAL
WHERE trained_at <= {at:DateTime64(3, 'UTC')} AND JSONHas(card, 'blend_weights')
ORDER BY trained_at DESC
LIMIT 1
