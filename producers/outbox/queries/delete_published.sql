-- By position, not up to one: a transaction that took an earlier position may commit later.
DELETE FROM outbox WHERE position = ANY($1::bigint[]);
