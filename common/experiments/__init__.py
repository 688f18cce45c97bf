"""Experiments with recommendations: their definitions, and which arm a visitor gets."""
