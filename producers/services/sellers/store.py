"""Reads and writes the tables of sellers, their applications and the commission rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producers.kit.erasures import Erasure
from producers.kit.http.problems import require
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.sellers.commission import CommissionRule
from producers.services.sellers.model import ApplicationStatus, SellerStatus
from producers.services.sellers.problems import UNKNOWN_SELLER
from producers.services.sellers.schemas import ApplicationResponse, ProfileResponse, RuleRequest
from schemas.codec import Record


@dataclass(frozen=True, slots=True)
class Application:
    """An application whose seller is locked."""

    seller_id: str
    applicant_id: str | None
    status: ApplicationStatus
    seller_status: SellerStatus


@statement("""
    WITH opened AS (
        INSERT INTO applications (application_id, seller_id, applicant_id, status, submitted_at)
        VALUES ($application_id::uuid, $seller_id::text, $applicant_id::uuid, 'applied', $tx.now::timestamptz)
        ON CONFLICT (applicant_id) WHERE status = 'applied' DO NOTHING
        RETURNING seller_id
    ), seller AS (
        INSERT INTO sellers
            (seller_id, status, source, name, description, legal_name, tax_id, contact_email, phone,
             zip_prefix, city, state, country, currency, created_at)
        SELECT opened.seller_id, 'applied', 'application', profile.*, $tx.now::timestamptz
        FROM opened, jsonb_to_record($profile::jsonb) AS profile (
            name text, description text, legal_name text, tax_id text, contact_email text, phone text,
            zip_prefix text, city text, state text, country text, currency text
        )
    ), step AS (
        INSERT INTO seller_steps (seller_id, occurred_at, status, changed_by)
        SELECT seller_id, $tx.now::timestamptz, 'applied', $applicant_id::uuid::text FROM opened
    )
    SELECT seller_id FROM opened
""")
async def apply(
    tx: Transaction, application_id: str, seller_id: str, applicant_id: str, profile: Mapping[str, Any]
) -> bool:
    """Open an application and its seller; return False if the person has an open application."""


@statement("""
    SELECT
        application_id, seller_id, applicant_id, applications.status, sellers.status AS seller_status,
        submitted_at, decided_at, reason, name, legal_name, tax_id, contact_email, country, currency,
        description, phone, zip_prefix, city, state
    FROM applications
    JOIN sellers USING (seller_id)
    WHERE ($applicant_id::uuid IS NULL OR applicant_id = $applicant_id::uuid)
        AND ($status::text IS NULL OR applications.status = $status::text)
        AND ($after::uuid IS NULL OR application_id > $after::uuid)
    ORDER BY application_id
    LIMIT $limit::integer
""")
async def find_applications(
    sql: Any, limit: int, applicant_id: str | None = None, status: str | None = None, after: str | None = None
) -> list[ApplicationResponse]:
    """Return applications, oldest first: of a person, of a status, and after an id, if these are given."""


@statement("""
    SELECT
        application_id, seller_id, applicant_id, applications.status, sellers.status AS seller_status,
        submitted_at, decided_at, reason, name, legal_name, tax_id, contact_email, country, currency,
        description, phone, zip_prefix, city, state
    FROM applications
    JOIN sellers USING (seller_id)
    WHERE application_id = $application_id::uuid
""")
async def find_application(sql: Any, application_id: str) -> ApplicationResponse:
    """Return an application that exists."""


@statement("""
    SELECT applications.seller_id, applicant_id, applications.status, sellers.status AS seller_status
    FROM applications
    JOIN sellers USING (seller_id)
    WHERE application_id = $application_id::uuid
    FOR UPDATE OF sellers
""")
async def lock_application(tx: Transaction, application_id: str) -> Application | None:
    """Lock the seller of an application; return None if there is no such application.

    Every change of a seller locks its row first, so that changes of one seller run one after the other.
    """


@statement("""
    UPDATE applications
    SET status = $to::text, decided_at = $tx.now::timestamptz, decided_by = $decided_by::text,
        reason = $reason::text
    WHERE application_id = $application_id::uuid
""")
async def decide_application(
    tx: Transaction, application_id: str, to: ApplicationStatus, decided_by: str, reason: str | None = None
) -> None:
    """Record the decision about an application."""


@statement("SELECT status FROM sellers WHERE seller_id = $seller_id::text FOR UPDATE")
async def lock_seller(tx: Transaction, seller_id: str) -> SellerStatus | None:
    """Lock a seller and return its status; None if there is no such seller. See `lock_application`."""


@statement("""
    WITH moved AS (
        UPDATE sellers
        SET status = $to::text,
            registered_at = CASE WHEN $to::text = 'refused' THEN NULL
                ELSE coalesce(registered_at, $tx.now::timestamptz) END
        WHERE seller_id = $seller_id::text
    )
    INSERT INTO seller_steps (seller_id, occurred_at, status, reason, changed_by)
    VALUES ($seller_id::text, $tx.now::timestamptz, $to::text, $reason::text, $changed_by::text)
""")
async def set_seller_status(
    tx: Transaction, seller_id: str, to: SellerStatus, changed_by: str, reason: str | None = None
) -> None:
    """Set the status of a locked seller and record the step. The first approval registers the seller."""


async def find_profile(sql: Any, seller_id: str) -> ProfileResponse:
    """Return what is known of a seller.

    Raises:
        UNKNOWN_SELLER: there is no such seller.
    """
    return require(await _find_profile(sql, seller_id), UNKNOWN_SELLER(seller_id=seller_id))


@statement("""
    SELECT
        seller_id, status, source, name, description, legal_name, tax_id, contact_email, phone, zip_prefix,
        city, state, country, currency, created_at, registered_at,
        CASE WHEN status = 'suspended' THEN (
            SELECT reason
            FROM seller_steps AS steps
            WHERE steps.seller_id = sellers.seller_id AND steps.status = 'suspended'
            ORDER BY occurred_at DESC
            LIMIT 1
        ) END AS suspension_reason
    FROM sellers
    WHERE seller_id = $seller_id::text
""")
async def _find_profile(sql: Any, seller_id: str) -> ProfileResponse | None:
    """Return what is known of a seller; None if there is no such seller."""


@statement("""
    UPDATE sellers
    SET (name, description, contact_email, phone, zip_prefix, city, state, country, profile_changed_at) = (
        SELECT changed.name, changed.description, changed.contact_email, changed.phone, changed.zip_prefix,
            changed.city, changed.state, changed.country, $tx.now::timestamptz
        FROM jsonb_populate_record(sellers, $changes::jsonb) AS changed
    )
    WHERE seller_id = $seller_id::text
""")
async def change_profile(tx: Transaction, seller_id: str, changes: Mapping[str, Any]) -> None:
    """Set these fields of a profile, if there is such a seller."""


@statement("""
    INSERT INTO sellers
        (seller_id, status, source, name, zip_prefix, city, state, country, created_at, registered_at)
    VALUES
        ($event.seller_id::text, 'approved', 'event', $event.name::text, $event.zip_prefix::text,
            $event.city::text, $event.state::text, $event.country::text, $event.occurred_at::timestamptz,
            $event.occurred_at::timestamptz)
    ON CONFLICT (seller_id) DO UPDATE
    SET registered_at = excluded.registered_at,
        name = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.name ELSE sellers.name END,
        zip_prefix = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.zip_prefix
            ELSE sellers.zip_prefix END,
        city = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.city ELSE sellers.city END,
        state = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.state ELSE sellers.state END,
        country = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.country ELSE sellers.country END
    WHERE sellers.source = 'event' AND sellers.registered_at < excluded.registered_at
    RETURNING xmax = 0
""")
async def save_registration(tx: Transaction, event: Record) -> bool:
    """Save a seller of another system as approved, unless this service knows a newer event.

    It changes the name and the place, but nothing that was decided here: neither the status, nor a profile
    that was edited, nor anything of a seller that applied here. Returns whether the seller is new.
    """


@statement("SELECT seller_id FROM sellers WHERE status = 'suspended' ORDER BY seller_id")
async def find_suspended(sql: Any) -> list[str]:
    """Return the ids of all suspended sellers."""


@statement("SELECT forget_user($erased.user_id::uuid, $erased.email::text)")
async def forget_person(tx: Transaction, erased: Erasure) -> None:
    """Delete what there is of a person and their e-mail address. A repetition changes nothing."""


@statement("""
    SELECT rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency,
        valid_from, reason, author, created_at
    FROM commission_rules
    WHERE ($seller_id::text IS NULL OR seller_id = $seller_id::text)
        AND ($category::text IS NULL OR category = $category::text)
        AND ($before::bigint IS NULL OR position < $before::bigint)
    ORDER BY position DESC
    LIMIT $limit::integer
""")
async def find_rules(
    sql: Any, limit: int, seller_id: str | None, category: str | None, before: int | None
) -> list[CommissionRule]:
    """Return commission rules, newest first: of a seller, of a category, before one, if these are given."""


@statement("""
    SELECT rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency,
        valid_from, reason, author, created_at
    FROM commission_rules
    WHERE seller_id = $seller_id::text OR seller_id IS NULL
""")
async def find_rules_of_seller(sql: Any, seller_id: str) -> list[CommissionRule]:
    """Return the rules that may apply to lines of a seller: its own, those of categories, the defaults."""


@statement("""
    INSERT INTO commission_rules
        (rule_id, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from, reason,
         author, created_at)
    SELECT $rule_id::uuid, $rule.seller_id::text, $rule.category::text, $rule.rate_bp::integer,
        $rule.minimum_minor::bigint, $rule.maximum_minor::bigint, $rule.currency::text,
        $valid_from::timestamptz, $rule.reason::text, $author::text, $tx.now::timestamptz
    WHERE $rule.seller_id::text IS NULL
        OR EXISTS (SELECT FROM sellers WHERE seller_id = $rule.seller_id::text)
    RETURNING rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency,
        valid_from, reason, author, created_at
""")
async def add_rule(
    tx: Transaction, rule_id: str, rule: RuleRequest, valid_from: datetime, author: str
) -> CommissionRule | None:
    """Add a commission rule; return None if there is no such seller."""


@statement("""
    INSERT INTO commission_rules (rule_id, seller_id, rate_bp, valid_from, reason, author, created_at)
    SELECT $event.event_id::uuid, $event.seller_id::text, $event.commission_bp::integer,
        $event.occurred_at::timestamptz, 'Agreed when the seller was approved.', 'seller_approved',
        $tx.now::timestamptz
    WHERE NOT EXISTS (SELECT FROM sellers WHERE seller_id = $event.seller_id::text AND source = 'application')
        AND NOT EXISTS (
            SELECT FROM commission_rules
            WHERE seller_id = $event.seller_id::text AND author IS DISTINCT FROM 'seller_approved'
        )
    ON CONFLICT (rule_id) DO NOTHING
    RETURNING rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency,
        valid_from, reason, author, created_at
""")
async def save_agreed_rate(tx: Transaction, event: Record) -> CommissionRule | None:
    """Save the rate of a `seller_approved`, on which another system agreed with the seller.

    Returns None, and saves nothing, for a seller that applied here, and for one with a rule that was added
    here.
    """
