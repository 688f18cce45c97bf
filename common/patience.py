"""How long parts wait for one another.

A machine that others share may stand still for seconds: who has not answered for two need not be away, and
what is down refuses at once.
"""

PATIENCE_S = 10.0
"""Longest wait of one part for another: for a connection, and for an answer to begin or to go on."""

SERVERS_KEEP_S = 75
"""Our servers close an idle connection after this: later than whoever asks them does, or it breaks under a
request that is on its way."""
