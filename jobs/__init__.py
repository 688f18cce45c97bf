"""The Flink jobs, each SQL and pure logic apart from its engine, and the sinks they write through."""
