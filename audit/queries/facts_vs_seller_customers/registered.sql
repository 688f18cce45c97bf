-- Every shopper who registered, from the facts.
SELECT DISTINCT shopper_id FROM shopper_registered
