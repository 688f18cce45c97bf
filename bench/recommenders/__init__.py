"""Measures recommenders without a platform: on public data, on logs and on simulated marketplaces."""
