-- What the marketplace keeps of a line: this service's own copy of the rules of sellers, from `commission_rule_added`. A
-- rule is never changed or deleted; a newer rule of the same scope supersedes it.
CREATE TABLE commission_rules (
    rule_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    seller_id text,
    category text,
    rate_bp integer NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000),
    minimum_minor bigint,
    maximum_minor bigint,
    currency text,
    valid_from timestamptz NOT NULL
);
CREATE INDEX commission_rules_of_seller ON commission_rules (seller_id, valid_from DESC, position DESC)
    WHERE seller_id IS NOT NULL;
CREATE INDEX commission_rules_of_category ON commission_rules (category, valid_from DESC, position DESC)
    WHERE category IS NOT NULL;
CREATE INDEX commission_rules_by_default ON commission_rules (valid_from DESC, position DESC)
    WHERE seller_id IS NULL AND category IS NULL;

INSERT INTO commission_rules (rule_id, position, rate_bp, valid_from)
VALUES ('019ab000-0000-7000-8000-000000000000', 1, 1000, '1970-01-01 00:00:00+00');

-- Rules from before there were events. A new shop has none, and a database of orders alone gets those that follow.
DO $$
BEGIN
    IF to_regclass('sellers.commission_rules') IS NOT NULL THEN
        INSERT INTO commission_rules
        SELECT rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from
        FROM sellers.commission_rules
        ON CONFLICT (rule_id) DO NOTHING;
    END IF;
END
$$;

-- Returns the commissions of order lines that sell one of these quantities at a price, in basis points, from 0 to 10000,
-- rounded half up. The rule is the newest of the seller that is valid at that time, else of the category, else the
-- default. Its minimum and maximum apply to lines in its currency. `sellers/commission.py` has the same rules in Python.
--
-- Each checkout, the most frequent write of the shop, calls it once for each offer. It sets no parameter: that would
-- double its cost.
CREATE FUNCTION commissions_bp(
    of_seller_id text, of_category text, of_currency text, unit_price_minor bigint, quantities integer[],
    at_time timestamptz
) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    rate integer;
    minimum bigint;
    maximum bigint;
    bounds_currency text;
BEGIN
    SELECT rate_bp, minimum_minor, maximum_minor, currency INTO rate, minimum, maximum, bounds_currency
    FROM commission_rules
    WHERE seller_id = of_seller_id AND valid_from <= at_time
    ORDER BY valid_from DESC, position DESC
    LIMIT 1;
    IF NOT FOUND AND of_category IS NOT NULL THEN
        SELECT rate_bp, minimum_minor, maximum_minor, currency INTO rate, minimum, maximum, bounds_currency
        FROM commission_rules
        WHERE category = of_category AND valid_from <= at_time
        ORDER BY valid_from DESC, position DESC
        LIMIT 1;
    END IF;
    IF rate IS NULL THEN
        SELECT rate_bp, minimum_minor, maximum_minor, currency INTO rate, minimum, maximum, bounds_currency
        FROM commission_rules
        WHERE seller_id IS NULL AND category IS NULL AND valid_from <= at_time
        ORDER BY valid_from DESC, position DESC
        LIMIT 1;
    END IF;
    IF bounds_currency IS DISTINCT FROM of_currency OR unit_price_minor = 0 THEN
        RETURN array_fill(rate, ARRAY[cardinality(quantities)]);
    END IF;
    RETURN ARRAY(
        SELECT least(
            greatest(
                least(rate, (2 * 10000 * maximum + gross_minor) / (2 * gross_minor)),
                (2 * 10000 * minimum + gross_minor) / (2 * gross_minor)
            ),
            10000
        )
        FROM unnest(quantities) WITH ORDINALITY AS lines (quantity, number),
            LATERAL (SELECT unit_price_minor * quantity AS gross_minor) AS line
        ORDER BY number
    );
END
$$;
