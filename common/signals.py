"""The kinds of signals: patterns of events that sellers and operators must know of."""

from typing import Literal

SignalKind = Literal[
    "payment_failures",
    "conversion_fall",
    "review_flood",
    "low_review_flood",
    "stock_end",
    "cancellation_wave",
]
"""What job `signals` recognises (`jobs/signals/rules.py` says when)."""

SubjectKind = Literal["product", "seller", "payment_method"]
"""What a signal is about."""
