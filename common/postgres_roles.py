"""The PostgreSQL roles of the platform: their names, and their passwords as the server stores them."""

import hashlib
import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode

ADMIN = "souk"
"""The superuser of the bundled server. Only setup and migrations use it, never a running service."""

READER = "reader"
"""The role of audits. It can read the schemas of all services, and write none."""

SCRAM_ITERATIONS = 4096
"""PostgreSQL's own default (`scram_iterations`)."""


def role_name(schema: str) -> str:
    """Return the name of the role that owns a schema; for `READER`, of the role that reads all schemas."""
    return f"souk_{schema}"


def role_password(secret: str, role: str) -> str:
    """Return the password of a role: an HMAC of its name, so that a new service needs no new secret."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), role.encode(), hashlib.sha256)).decode().rstrip("=")


def scram_verifier(password: str) -> str:
    """Return a password (ASCII) as PostgreSQL stores it, so that statements and logs never show the password.

    The format is that of `pg_authid.rolpassword`. The algorithm is that of RFC 5803.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", hashlib.sha256)).digest()
    server_key = hmac.digest(salted, b"Server Key", hashlib.sha256)
    salt64, stored64, server64 = (b64encode(each).decode() for each in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{salt64}${stored64}:{server64}"
