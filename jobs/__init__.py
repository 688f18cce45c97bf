"""The Flink jobs: their SQL, plans and connectors, and the process that keeps them running."""
