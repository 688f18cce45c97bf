"""URLs that contain a user and a password."""

from urllib.parse import unquote, urlsplit, urlunsplit


def redact_password(url: str) -> str:
    """Return a URL without its user and password, for messages and logs."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def credentials(url: str) -> tuple[str, str] | None:
    """Return the user and the password in a URL; None if the URL has no user."""
    parts = urlsplit(url)
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
