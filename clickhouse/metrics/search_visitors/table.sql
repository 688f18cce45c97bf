-- Who searched for a text, and when: what says how many different visitors did.
CREATE TABLE {table}
(
    query String CODEC(Default) COMMENT 'The text of the search in lower case, with single spaces.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which a page of results was seen, UTC.',
    session_id String CODEC(Default) COMMENT 'The session of the browser.',
    shopper_id String CODEC(Default) COMMENT 'The shopper; empty if the session is not known to be theirs.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (query, minute, session_id, shopper_id)
SETTINGS index_granularity = 512
COMMENT 'Who searched for a text, and when.'
