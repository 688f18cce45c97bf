"""Alerts read which sellers may sell. They act on figures, which are complete after all events of an hour."""

from producers.kit.seller_status import KEEP_SELLER_STATUS

SUBSCRIPTIONS = KEEP_SELLER_STATUS
