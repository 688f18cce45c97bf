"""The users service reads which sellers may sell; what it knows of people, it is told by requests."""

from producers.seller_status import KEEP_SELLER_STATUS

SUBSCRIPTIONS = KEEP_SELLER_STATUS
