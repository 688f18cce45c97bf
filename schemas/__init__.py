"""Event schemas, topics, the registry client, the codec and the compatibility gate."""
