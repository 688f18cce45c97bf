-- Orders alone checks the amounts of returns, and inventory acts on `return_settled`.
ALTER TABLE reserved_lines DROP COLUMN amount_minor, DROP COLUMN refunded_minor;
