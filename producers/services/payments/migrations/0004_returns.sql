-- Each return that was taken, whichever event told of it: told again under another event's id it is not taken twice.
CREATE TABLE returns (
    order_id uuid NOT NULL REFERENCES payments,
    return_id text NOT NULL,
    PRIMARY KEY (order_id, return_id)
);

-- Returns from before this table; one without a refund is known by its event's id alone.
INSERT INTO returns SELECT order_id, return_id FROM refunds WHERE return_id IS NOT NULL;
