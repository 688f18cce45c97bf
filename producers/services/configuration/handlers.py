"""Configuration acts on no events: its state changes only by requests."""

from producers.kit.inbox.subscription import Subscription

SUBSCRIPTIONS: tuple[Subscription, ...] = ()
