"""The commerce services. Each is a folder whose `service.py` declares it; none imports another."""
