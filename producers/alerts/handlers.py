"""Alerts act on no events: they read figures, which are complete only after all events of an hour."""

from producers.inbox.subscription import Subscription

SUBSCRIPTIONS: tuple[Subscription, ...] = ()
"""The events on which the service acts."""
