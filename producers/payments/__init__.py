"""Takes the money for orders, and gives it back, through a payment provider."""
