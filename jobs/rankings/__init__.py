"""Job `rankings`: computes popular and trending products in Flink SQL."""
