-- How long an answer of recommendations took, and which sources it lacks. Rows from before have NULL and none.

ALTER TABLE recommendation_answered
    ADD COLUMN IF NOT EXISTS answer_ms Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'Time in milliseconds from the request until the list was chosen; null in events from before this field.' AFTER alternatives,
    ADD COLUMN IF NOT EXISTS passed_over Array(Tuple(source String, reason String)) CODEC(ZSTD(1)) COMMENT 'The sources that were asked and did not answer; empty in events from before this field.' AFTER answer_ms;
