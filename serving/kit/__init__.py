"""What all domains are built with: clients of the stores, caches, responses, parameters and problems."""
