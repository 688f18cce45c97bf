"""Manages people: their accounts, sessions and access tokens, and what is kept of them."""
