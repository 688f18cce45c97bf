"""The users service processes no events: what it knows of people, people and administrators tell it."""

from producers.inbox.subscription import Subscription

SUBSCRIPTIONS: tuple[Subscription, ...] = ()
