"""The PostgreSQL roles of the platform: their names, and their passwords as the server stores them."""

import hashlib
import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode

ADMIN = "souk"
"""The superuser of the bundled server. It starts and migrates; no service uses it while it works."""

READER = "reader"
"""What audits connect as: it reads the schemas of all services and writes none."""

SCRAM_ITERATIONS = 4096
"""PostgreSQL's own default (`scram_iterations`)."""


def role_name(schema: str) -> str:
    """Returns the role that owns a schema; for `READER`, the role that reads them all."""
    return f"souk_{schema}"


def role_password(secret: str, role: str) -> str:
    """Returns the password of a role: an HMAC of its name, so that a new service needs no new secret."""
    digest = hmac.digest(secret.encode(), role.encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def scram_verifier(password: str) -> str:
    """Returns a password (ASCII) as PostgreSQL stores it, so that statements and logs never show it.

    The format is that of `pg_authid.rolpassword`, the algorithm that of RFC 5803.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", hashlib.sha256)).digest()
    server_key = hmac.digest(salted, b"Server Key", hashlib.sha256)
    salt64, stored64, server64 = (b64encode(each).decode() for each in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{salt64}${stored64}:{server64}"
