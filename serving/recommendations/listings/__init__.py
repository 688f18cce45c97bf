"""Lists of a search or a category in an order that fits the visitor."""
