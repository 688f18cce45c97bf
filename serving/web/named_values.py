"""Texts of values that templates show by name, with a capital letter: periods, statuses and roles."""

from serving.web.translation import N_

GRAINS = (
    *(N_("Hour"), N_("Day"), N_("Week"), N_("Month")),
    *(N_("hour"), N_("day"), N_("week"), N_("month")),
)

ORDER_STATUSES = (
    *(N_("Placed"), N_("Confirmed"), N_("Shipped"), N_("Delivered"), N_("Cancelled")),
    N_("Unavailable"),
)

SELLER_STATUSES = (*(N_("Applied"), N_("Approved"), N_("Refused"), N_("Suspended")),)

RULE_STATES = (N_("In force"), N_("Announced"), N_("Superseded"))

MESSAGE_STATUSES = (N_("Waiting"), N_("Sent"), N_("Failed"), N_("Skipped"))

ROLES = (
    *(N_("Owner"), N_("Manager"), N_("Analyst"), N_("Fulfilment"), N_("Shopper")),
    *(N_("Seller"), N_("Admin"), N_("Platform"), N_("Guest")),
)
