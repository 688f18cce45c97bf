"""The responses of the analytics routes, as the API describes them."""
