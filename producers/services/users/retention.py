"""What the service needs no more: ended sessions, unused tokens, old mails, attempts to sign in."""

from datetime import timedelta

from producers.kit.service import Expiring
from producers.kit.throttles import PRUNE_THROTTLES
from producers.services.users.model import REVOCATION_LIFETIME, SESSION_LIFETIME

MAILS_KEPT = timedelta(days=7)
SIGN_INS_KEPT = timedelta(days=90)

KEPT: Expiring = {
    "registrations": (
        timedelta(0),
        """
        DELETE FROM registrations
        WHERE token_sha256 IN (
            SELECT token_sha256 FROM registrations WHERE expires_at < now() - $1::interval LIMIT $2::integer
        )
        """,
    ),
    "mailed tokens": (
        timedelta(0),
        """
        DELETE FROM mailed_tokens
        WHERE token_sha256 IN (
            SELECT token_sha256 FROM mailed_tokens WHERE expires_at < now() - $1::interval LIMIT $2::integer
        )
        """,
    ),
    "sessions": (
        SESSION_LIFETIME,
        """
        DELETE FROM sessions
        WHERE session_id IN (
            SELECT session_id FROM sessions
            WHERE least(ended_at, expires_at) < now() - $1::interval LIMIT $2::integer
        )
        """,
    ),
    "revocations": (
        REVOCATION_LIFETIME,
        """
        DELETE FROM revocations
        WHERE position IN (
            SELECT position FROM revocations WHERE before < now() - $1::interval LIMIT $2::integer
        )
        """,
    ),
    "throttles": PRUNE_THROTTLES,
    "sign-ins": (
        SIGN_INS_KEPT,
        """
        DELETE FROM sign_ins
        WHERE sign_in_id IN (
            SELECT sign_in_id FROM sign_ins WHERE attempted_at < now() - $1::interval LIMIT $2::integer
        )
        """,
    ),
    "mails": (
        MAILS_KEPT,
        """
        DELETE FROM mails
        WHERE mail_id IN (SELECT mail_id FROM mails WHERE created_at < now() - $1::interval LIMIT $2::integer)
        """,
    ),
}
"""Name → minimum age and DELETE. Ended sessions are kept as long as a stolen refresh token might be tried."""
