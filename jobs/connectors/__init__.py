"""The Flink connectors: Java sources and how they are compiled."""
