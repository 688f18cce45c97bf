"""Who may see what is for sale: everybody."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, anyone

POLICIES: Mapping[str, AccessPolicy] = {
    "products": anyone("read"),
    "product": anyone("read"),
    "categories": anyone("read"),
}
