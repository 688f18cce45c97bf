"""The audit that the platform makes every night."""
