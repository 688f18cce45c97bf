"""The ports of what the benchmarks start.

They are higher than those of the tests, and every port is below 32,768, where the system's range for outgoing
connections starts.
"""

RECOMMENDATIONS_PORT_OFFSET, PIPELINE_PORT_OFFSET, PERIODS_PORT_OFFSET = 23_000, 23_100, 23_200
SPIKE_PORT_OFFSET, FRESHNESS_PORT_OFFSET = 23_300, 23_400
TELEMETRY_PORT_OFFSET = 23_600
"""Port offsets of the temporary platforms."""

GATEWAY_PORT = 32_700
"""The port of the measured process of the API; the next one is used, too."""
