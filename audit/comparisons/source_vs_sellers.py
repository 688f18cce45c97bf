"""Compares the source's sellers with `seller_registered`."""

from audit.comparison import About
from audit.source_pair import SourcePair

ABOUT = About(
    name="source_vs_sellers",
    what="every seller",
    left="source",
    right="Kafka",
    unit="sellers",
    key=("seller_id",),
)

run = SourcePair(
    ABOUT,
    events=("seller_registered",),
    subject="seller_id",
    expected=lambda source: source.sellers,
    actual=lambda events, _: events["seller_registered"].select(["seller_id", "city", "state"]),
).run
