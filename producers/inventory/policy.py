"""Who may use the stock endpoints. Stock is public; its seller sets it."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

STOCK_KEEPERS = allow(
    "seller",
    "admin",
    "platform",
    traffic="write",
    staff=("owner", "manager", "fulfilment"),
    scope="stock:write",
)

POLICIES: Mapping[str, AccessPolicy] = {
    "show": anyone("read"),
    "set_one": STOCK_KEEPERS,
    "set_many": STOCK_KEEPERS,
}
