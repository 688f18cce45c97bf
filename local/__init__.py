"""The platform on one machine: its installation, its parts, their supervision, and the demo."""
