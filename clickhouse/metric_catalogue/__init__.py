"""The catalogue of metrics: what each figure means, and the SQL that computes it."""
