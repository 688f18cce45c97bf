-- Units of a line that came back. Returns from before this column count as 0 here; inventory and payments have them.
ALTER TABLE order_lines
    ADD COLUMN returned integer NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND quantity);
