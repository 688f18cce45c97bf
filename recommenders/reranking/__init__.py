"""Learns to rerank the candidates of several models: training examples, features and boosted trees."""
