"""Manages the settings and feature flags of the platform: their values, versions, authors and reasons."""
