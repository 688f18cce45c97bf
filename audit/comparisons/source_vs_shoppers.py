"""Compares the persons in the source's orders with `shopper_registered`."""

from audit.comparison import About
from audit.source_pair import SourcePair

ABOUT = About(
    name="source_vs_shoppers",
    what="every shopper",
    left="source",
    right="Kafka",
    unit="shoppers",
    key=("shopper_id",),
)

run = SourcePair(
    ABOUT,
    events=("shopper_registered",),
    subject="shopper_id",
    expected=lambda source: source.shoppers,
    actual=lambda events, _: events["shopper_registered"].select(["shopper_id"]),
).run
