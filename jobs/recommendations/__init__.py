"""Job `recommendations`: writes recent views, carts, similar products and product cards to Redis."""
