-- What a seller pays for a unit of a product, from a day of the shop on. The currency is that of the shop. The cost is NULL if
-- the seller removed the entry; the one of an earlier day applies then. `version` counts the changes of an entry.
CREATE TABLE product_costs (
    seller_id text NOT NULL REFERENCES sellers,
    product_id text NOT NULL CHECK (length(product_id) BETWEEN 1 AND 128),
    valid_from date NOT NULL CHECK (valid_from BETWEEN '2000-01-01' AND '2099-12-31'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    unit_cost_minor bigint CHECK (unit_cost_minor BETWEEN 0 AND 10000000000),
    version bigint NOT NULL CHECK (version > 0),
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, product_id, valid_from)
);
