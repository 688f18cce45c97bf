"""Products on offer: search, product pages, and the product cards that every list shows."""
