"""Job `signals`: recognises patterns of events that sellers and operators must know of, in Flink SQL."""
