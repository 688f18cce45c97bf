"""What audits found: how it is recorded in ClickHouse and exported as metrics."""
