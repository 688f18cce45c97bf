"""Carts of guests and people, on all of their devices: merged at a sign-in, and priced anew at each look."""
