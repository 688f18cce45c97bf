"""Job `metrics`: computes sales, order states and popular products in Flink SQL."""
