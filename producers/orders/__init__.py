"""Takes orders and follows them: placed, confirmed or cancelled, shipped, delivered."""
