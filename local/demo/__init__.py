"""`./souk demo`: runs the simulator as a child process and shows one screen of live figures."""
