"""The form in which all services compare and store e-mail addresses."""

import unicodedata


def normalized_email(email: str) -> str:
    """Return an e-mail address in the form in which addresses are compared and stored."""
    return unicodedata.normalize("NFC", email.strip()).lower()
