-- Who sold a line, so that only that seller can take it back. Unknown for orders from before these columns.
ALTER TABLE due_lines
    ADD COLUMN product_id text,
    ADD COLUMN seller_id text;
