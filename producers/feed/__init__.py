"""Sends events to Kafka in the order of their times. The replay and the simulator share it."""
