"""Checks that every event that a service committed has left its outbox."""

from audit.books_pair import BooksInside
from audit.comparison import About

ABOUT = About(
    name="outboxes",
    what="events that wait in the services' outboxes",
    left="a settled shop",
    right="outboxes",
    unit="services",
    key=("service",),
)

run = BooksInside(ABOUT).run
