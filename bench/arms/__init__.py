"""Compares the strategies of recommendations as arms of an experiment in a simulated marketplace."""
