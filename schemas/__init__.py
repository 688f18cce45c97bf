"""What is said between rooms: event schemas, topics, the registry, the codec and the compatibility gate."""
