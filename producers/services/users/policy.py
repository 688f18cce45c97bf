"""Who may use the endpoints of people. A person reaches only what is their own: the queries take their id."""

from common.access_policy import allow, anyone

SIGN_IN = anyone("sign_in")
READ_OWN = allow("shopper", traffic="read")
WRITE_OWN = allow("shopper", traffic="write")
CONFIRM = allow("shopper", traffic="sign_in")
ADMIN_READ = allow("admin", traffic="read")
ADMIN_WRITE = allow("admin", traffic="write")
PLATFORM = allow("platform", traffic="operations")
PLATFORM_WITH_SECRET = allow("platform", traffic="operations", secret_response=True)
