"""How long one process of the platform waits for another.

A machine that is shared with other work may pause a process for seconds. So a server that has not answered
for two seconds may still be running. A server that is down refuses connections at once.
"""

PEER_TIMEOUT_S = 10.0
"""Timeout for getting a connection (or a free one from a limited pool), and for each read of a response.

A readiness check (`/ready`), or a caller that can do without the response, uses a shorter timeout.
"""

CLIENT_KEEPALIVE_S, SERVER_KEEPALIVE_S = 60.0, 75
"""How long our HTTP client, and our servers, keep an idle connection open.

The client closes first. If the server closed first, a request that is being sent would fail.
"""

FETCH_PACE_MS = 50
"""How long a consumer of a busy topic waits to fetch again: a fetch costs Kafka more than an event."""
