"""Who may use the endpoints of sellers. Staff reach their own seller only; administrators reach all."""

from dataclasses import replace

from common.access_policy import allow
from common.principal import Role
from producers.services.sellers.model import STAFF_MANAGERS

SELLER = "seller_id"

_PEOPLE: tuple[Role, ...] = ("shopper", "seller", "analyst", "admin")
READ_OWN = allow(*_PEOPLE, traffic="read")
WRITE_OWN = allow(*_PEOPLE, traffic="write")
"""Of a person themselves, such as their applications."""

ADMIN_READ = allow("admin", traffic="read")
ADMIN_WRITE = allow("admin", traffic="write")

KEEPERS = allow("seller", "admin", traffic="write", staff=STAFF_MANAGERS, seller_parameter=SELLER)
KEY_MAKERS = replace(KEEPERS, secret_response=True)
INVITERS = allow(
    "seller", "admin", "platform", traffic="write", staff=STAFF_MANAGERS, seller_parameter=SELLER
)
