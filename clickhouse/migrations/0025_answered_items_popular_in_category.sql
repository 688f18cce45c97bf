-- Products that are popular in the visitor's categories are blended, too: each answered item has the score of this source.
-- Items from before have NULL.

ALTER TABLE recommendation_answered
    MODIFY COLUMN items Array(Tuple(position Int32, product_id String, seller_id String, score Float64, source String, propensity Float64, item_neighbours Nullable(Float64), trained_neighbours Nullable(Float64), similar_content Nullable(Float64), popular_in_category Nullable(Float64))) CODEC(ZSTD(1)) COMMENT 'The products of the list in order.';
