-- What is due for each line of an order, and what of it came back. Orders from before this table have no lines here.
CREATE TABLE due_lines (
    order_id uuid NOT NULL REFERENCES payments,
    line_number integer NOT NULL,
    quantity integer NOT NULL,
    amount_minor bigint NOT NULL,
    returned integer NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND quantity),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    PRIMARY KEY (order_id, line_number)
);
