"""What `./souk` does first: Python packages, jars and browser libraries, all as locked, in one folder."""
