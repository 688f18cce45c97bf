-- Every page of search results that a visitor saw.
CREATE TABLE {table}
(
    search_id String CODEC(Default) COMMENT 'The search; its pages share it.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the page was seen, UTC.',
    event_id String CODEC(Default) COMMENT 'The page.',
    query String CODEC(Default) COMMENT 'The text of the search in lower case, with single spaces.',
    results Int32 CODEC(Default) COMMENT 'Number of results over all pages.',
    impressions UInt16 CODEC(Default) COMMENT 'Number of products on the page.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (search_id, minute, event_id)
SETTINGS index_granularity = 512
COMMENT 'Every page of search results that a visitor saw.'
