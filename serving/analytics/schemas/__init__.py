"""The shapes of the answers, as the API describes them."""
