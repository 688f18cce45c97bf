"""The pages of a seller: overview, metrics, what changed, SQL."""
