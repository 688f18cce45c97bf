-- What came back, for a refund of a return: `payment_refunded` reports it. Unknown for refunds from before these columns.
ALTER TABLE refunds
    ADD COLUMN seller_id text,
    ADD COLUMN placed_at timestamptz;

-- The lines of that return, in their order. A line may come back in several parts.
CREATE TABLE refunded_lines (
    refund_id uuid NOT NULL REFERENCES refunds,
    position integer NOT NULL,
    line_number integer NOT NULL,
    product_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 0),
    refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
    PRIMARY KEY (refund_id, position)
);
