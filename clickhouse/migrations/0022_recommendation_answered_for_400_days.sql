-- The log of answers is the largest table of recommendations. Experiments need a year of it.

ALTER TABLE recommendation_answered
    COMMENT COLUMN surface 'Where on the page: home, product, cart, order.',
    MODIFY TTL toDateTime(occurred_at) + INTERVAL 400 DAY;

ALTER TABLE recommendation_shown COMMENT COLUMN surface 'Where on the page: home, product, cart, order, search, email.';

ALTER TABLE recommendation_clicked COMMENT COLUMN surface 'Where on the page: home, product, cart, order, search, email.';
