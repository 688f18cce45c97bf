"""Compares the reviews submitted with the table `reviews_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_reviews",
    what="reviews by minute and score",
    left="facts",
    right="reviews_minute",
    unit="minutes and scores",
    key=("minute", "score"),
)

run = QueryPair(ABOUT).run
