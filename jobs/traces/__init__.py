"""Completes the recorded traces of orders behind Kafka, where no process of ours handles single events."""
