"""The installation by `./souk`: locked Python packages, jars and browser libraries, in one folder."""
