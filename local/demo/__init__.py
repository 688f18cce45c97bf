"""What `./souk demo` runs and shows: the simulator as its child, and one screen of what happens."""
