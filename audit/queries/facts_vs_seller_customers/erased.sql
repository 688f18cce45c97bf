-- Every shopper who was erased, from the facts.
SELECT DISTINCT shopper_id FROM shopper_erased
