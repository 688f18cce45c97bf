"""The HTTP side of the commerce services: what they share around their own addresses."""
