"""URLs that contain a user and a password."""

from urllib.parse import unquote, urlsplit, urlunsplit


def redact_password(url: str) -> str:
    """Returns a URL without its user and password, for messages and logs."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def credentials(url: str) -> tuple[str, str] | None:
    """Returns the user and the password in a URL; None without a user."""
    parts = urlsplit(url)
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
