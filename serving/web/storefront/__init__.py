"""The pages of the shop: search, product, cart, checkout, orders."""
