CREATE OR REPLACE VIEW {view}
(
    searched_at DateTime64(3, 'UTC') COMMENT 'When, UTC.',
    search_id String COMMENT 'The search; further pages share it.',
    session_id String COMMENT 'The session of the browser.',
    shopper_id Nullable(String) COMMENT 'The shopper, once the session is known to be theirs.',
    query String COMMENT 'Text as typed.',
    page_number Int32 COMMENT 'Page of the results, from 1.',
    results Int32 COMMENT 'Number of results over all pages.',
    product_ids Array(String) COMMENT 'Products of this page, best first.'
)
AS
SELECT
    occurred_at AS searched_at, search_id, session_id, shopper_id, query, page_number, result_count AS results, product_ids
FROM {facts}.search_performed FINAL
COMMENT 'The pages of search results that visitors saw.'
