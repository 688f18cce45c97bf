"""The gateway to the commerce services: orders and stock."""
