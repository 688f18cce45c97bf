"""The pages of sellers: their figures, alerts, SQL, settings and costs, and how to apply to sell."""
