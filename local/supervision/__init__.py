"""Starts the processes of the parts, restarts those that die, and stops all of them."""
