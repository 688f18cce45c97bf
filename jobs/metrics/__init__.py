"""Sales, order states and popular products, kept up to date by Flink SQL."""
