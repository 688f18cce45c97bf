-- An order that costs nothing is `free` once its units are reserved: nothing is charged, and orders is asked to confirm it.
ALTER TABLE payments
    DROP CONSTRAINT payments_state_check,
    ADD CONSTRAINT payments_state_check
        CHECK (state IN ('waiting', 'due', 'voiding', 'captured', 'failed', 'void', 'free')),
    ADD CONSTRAINT free_costs_nothing CHECK (state <> 'free' OR amount_minor = 0);

-- A return gives the marketplace back its part of a discount, even if the shopper had paid nothing.
ALTER TABLE refunds
    DROP CONSTRAINT refunds_amount_minor_check,
    ADD CONSTRAINT refunds_amount_minor_check CHECK (amount_minor >= 0);
ALTER TABLE refunded_lines ADD COLUMN marketplace_minor bigint CHECK (marketplace_minor >= 0);
