"""The settings and feature flags that an administrator changes while the platform runs."""
