"""Accepts orders and tracks them: placed, confirmed or cancelled, shipped, delivered."""
