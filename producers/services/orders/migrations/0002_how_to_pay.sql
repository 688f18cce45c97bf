-- How an order is to be paid, from its checkout until it is decided. Payments takes it from here.
CREATE TABLE how_to_pay (
    order_id uuid PRIMARY KEY,
    method text NOT NULL,
    token text,
    installments integer NOT NULL
);
