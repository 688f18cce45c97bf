"""Product recommendations from what a visitor and other visitors viewed and bought."""
