"""Sales figures of sellers and of the marketplace."""
