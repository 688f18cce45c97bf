"""The shop: services that emit events, and the replay of real data sets."""
