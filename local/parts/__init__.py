"""What the platform is made of: how each part is found, started and known to be ready."""
