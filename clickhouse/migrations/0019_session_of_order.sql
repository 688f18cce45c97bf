-- An order names the visit in which it was placed. Rows from before this column have NULL.

ALTER TABLE order_placed
    ADD COLUMN IF NOT EXISTS session_id Nullable(String) CODEC(Default) COMMENT 'The visit in which it was placed; null if it is not known, and in events from before this field.' AFTER estimated_delivery_at;
