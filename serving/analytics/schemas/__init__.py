"""The answers of the analytics routes, as the API describes them."""
