"""Keeps what shoppers earn with what they pay."""
