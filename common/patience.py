"""How long parts wait for one another.

A machine that others share may stand still for seconds: who has not answered for two need not be away, and
what is down refuses at once.
"""

PATIENCE_S = 10.0
"""Longest wait of one part for another: for a connection (a free one, where they are limited), and for an
answer to begin or to go on. Who asks whether another is there (`/ready`) or can do without waits less."""

CLIENTS_KEEP_S, SERVERS_KEEP_S = 60.0, 75
"""An idle connection is closed after so long by our HTTP client, and later by our servers: closed by them, it
breaks under a request that is on its way."""
