"""The shop: its services, the simulator of its shoppers, and the import of other shops' tables."""
