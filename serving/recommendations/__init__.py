"""What a shopper may want next, from what they and others looked at and bought."""
