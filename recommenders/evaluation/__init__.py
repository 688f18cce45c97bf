"""Evaluates ranked lists over all products. Depends on no model."""
