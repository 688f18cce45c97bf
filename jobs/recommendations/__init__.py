"""What visitors looked at lately, which products go together, and what products are, kept in Redis."""
