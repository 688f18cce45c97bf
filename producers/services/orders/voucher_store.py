"""Reads and writes vouchers and their uses."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from producers.kit.http.pages import Position
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.orders.vouchers import (
    VOUCHER_REFUSED,
    Flaw,
    UsableVoucher,
    Voucher,
    VoucherRequest,
)

_VOUCHER = ", ".join(field.name for field in fields(Voucher))


@statement(f"""
    SELECT {_VOUCHER},
        CASE WHEN limit_per_person IS NULL THEN 0 ELSE (
            SELECT count(*) FROM voucher_uses
            WHERE voucher_uses.voucher_id = vouchers.voucher_id AND shopper_id = ANY ($owners::text[])
                AND given_back_at IS NULL
        ) END AS used_by_person,
        first_order AND EXISTS (
            SELECT FROM orders WHERE shopper_id = ANY ($owners::text[]) AND status <> 'cancelled'
        ) AS has_ordered
    FROM vouchers
    WHERE code = ANY ($codes::text[]) OR (
        code IS NULL AND ended_at IS NULL AND currency = $currency::text
        AND (seller_id IS NULL OR seller_id = ANY ($sellers::text[]))
        AND starts_at <= $at::timestamptz AND (ends_at > $at::timestamptz) IS NOT FALSE
    )
    ORDER BY voucher_id
""")
async def find_usable(
    sql: Any,
    codes: Sequence[str],
    sellers: Collection[str],
    owners: Sequence[str],
    currency: str,
    at: datetime,
) -> list[UsableVoucher]:
    """Return the vouchers with these codes, and those that apply by themselves to lines of these sellers.

    `owners` are the shopper ids of the person who orders.
    """


async def use(
    sql: Any, voucher_ids: Sequence[str], order_id: str, owners: Sequence[str], at: datetime
) -> None:
    """Count an order's use of vouchers. This is the last step of the transaction that places the order.

    The rows of the vouchers are locked from the first statement on, so that what follows counts every other
    order with one of them. A voucher is thereby locked as short as possible. The lock is `FOR NO KEY UPDATE`:
    the foreign keys of lines hold the rows `FOR KEY SHARE`, and two orders would wait for each other.

    Raises:
        VOUCHER_REFUSED: a voucher has ended or is used up. Nothing may be committed.
    """
    await _lock_people(sql, sorted(set(owners)))
    counted = await _count_use(sql, voucher_ids, at)
    for voucher in await _find_exhausted(sql, voucher_ids, counted, order_id, owners):
        flaw: Flaw = voucher["flaw"]
        raise VOUCHER_REFUSED(code=voucher["code"] or voucher["name"], flaw=flaw)
    await _insert_uses(sql, voucher_ids, order_id, owners[0], at)


@statement("SELECT pg_advisory_xact_lock(hashtextextended(id, 6)) FROM unnest($shopper_ids::text[]) AS id")
async def _lock_people(sql: Any, shopper_ids: Sequence[str]) -> None:
    """Wait for other orders with vouchers of these shoppers: one person's first order is one order."""


@statement("SELECT count(*) = cardinality($codes::text[]) FROM vouchers WHERE code = ANY ($codes::text[])")
async def are_known(tx: Transaction, codes: Sequence[str]) -> bool:
    """Return whether each of these codes, all different, is one of a voucher."""


@statement("""
    UPDATE vouchers SET used = used + 1
    FROM (
        SELECT voucher_id FROM vouchers WHERE voucher_id = ANY ($voucher_ids::uuid[])
        ORDER BY voucher_id FOR NO KEY UPDATE
    ) AS locked
    WHERE vouchers.voucher_id = locked.voucher_id
        AND ended_at IS NULL AND (ends_at > $at::timestamptz) IS NOT FALSE
        AND (used < limit_total) IS NOT FALSE
    RETURNING vouchers.voucher_id
""")
async def _count_use(sql: Any, voucher_ids: Sequence[str], at: datetime) -> frozenset[str]:
    """Lock vouchers, and count a use of each that can be used; return their ids."""


@statement("""
    SELECT voucher_id, code, name,
        CASE
            WHEN limit_total = used AND voucher_id <> ALL ($counted::uuid[]) THEN 'used_up'
            WHEN voucher_id <> ALL ($counted::uuid[]) THEN 'ended'
            WHEN first_order AND has_ordered THEN 'not_first_order'
            WHEN used_by_person >= limit_per_person THEN 'used_by_you'
        END AS flaw
    FROM vouchers,
        LATERAL (
            SELECT count(*) AS used_by_person FROM voucher_uses
            WHERE voucher_uses.voucher_id = vouchers.voucher_id AND shopper_id = ANY ($owners::text[])
                AND given_back_at IS NULL
        ) AS uses,
        LATERAL (
            SELECT EXISTS (
                SELECT FROM orders
                WHERE shopper_id = ANY ($owners::text[]) AND status <> 'cancelled'
                    AND order_id <> $order_id::uuid AND vouchers.first_order
            ) AS has_ordered
        ) AS others
    WHERE voucher_id = ANY ($voucher_ids::uuid[]) AND (
        voucher_id <> ALL ($counted::uuid[]) OR (first_order AND has_ordered)
        OR used_by_person >= limit_per_person
    )
    ORDER BY voucher_id
    LIMIT 1
""")
async def _find_exhausted(
    sql: Any, voucher_ids: Sequence[str], counted: Collection[str], order_id: str, owners: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a locked voucher that this order can't use, and why, if there is one."""


@statement("""
    INSERT INTO voucher_uses (voucher_id, order_id, shopper_id, used_at)
    SELECT voucher_id, $order_id::uuid, $shopper_id::text, $at::timestamptz
    FROM unnest($voucher_ids::uuid[]) AS voucher_id
""")
async def _insert_uses(
    sql: Any, voucher_ids: Sequence[str], order_id: str, shopper_id: str, at: datetime
) -> None:
    """Insert an order's uses."""


@statement("""
    WITH given_back AS (
        UPDATE voucher_uses SET given_back_at = $tx.now::timestamptz
        WHERE order_id = $order_id::uuid AND given_back_at IS NULL
        RETURNING voucher_id
    ), locked AS (
        SELECT voucher_id FROM vouchers WHERE voucher_id IN (SELECT voucher_id FROM given_back)
        ORDER BY voucher_id FOR NO KEY UPDATE
    )
    UPDATE vouchers SET used = used - 1 FROM locked WHERE vouchers.voucher_id = locked.voucher_id
""")
async def give_back(tx: Transaction, order_id: str) -> None:
    """Give back the vouchers of a locked order that is cancelled, once."""


@statement(f"""
    INSERT INTO vouchers
        (voucher_id, seller_id, name, code, kind, percent_bp, amount_minor, currency, category, product_id,
         first_order, minimum_minor, starts_at, ends_at, limit_total, limit_per_person, created_at)
    VALUES (
        $voucher_id::uuid, $seller_id::text, $asked.name::text, $asked.code::text, $asked.kind::text,
        $asked.percent_bp::integer, $asked.amount_minor::bigint, $currency::text, $asked.category::text,
        $asked.product_id::text, $asked.first_order::boolean, $asked.minimum_minor::bigint,
        coalesce($asked.starts_at::timestamptz, $tx.now::timestamptz), $asked.ends_at::timestamptz,
        $asked.limit_total::integer, $asked.limit_per_person::integer, $tx.now::timestamptz
    )
    ON CONFLICT (code) DO NOTHING
    RETURNING {_VOUCHER}
""")
async def insert(
    tx: Transaction, voucher_id: str, seller_id: str | None, currency: str, asked: VoucherRequest
) -> Voucher | None:
    """Insert a voucher of an owner; return None if its code is taken."""


@statement("""
    SELECT count(*) FROM vouchers
    WHERE code IS NULL AND ended_at IS NULL AND seller_id IS NOT DISTINCT FROM $seller_id::text
        AND (ends_at > $tx.now::timestamptz) IS NOT FALSE
""")
async def count_automatic(tx: Transaction, seller_id: str | None) -> int:
    """Return how many vouchers without a code of an owner have not ended."""


@statement(f"""
    UPDATE vouchers SET ended_at = coalesce(ended_at, $tx.now::timestamptz)
    WHERE voucher_id = $voucher_id::uuid AND seller_id IS NOT DISTINCT FROM $seller_id::text
    RETURNING {_VOUCHER}
""")
async def end(tx: Transaction, voucher_id: str, seller_id: str | None) -> Voucher | None:
    """End a voucher of an owner, once; return None if the owner has no such voucher."""


@statement(f"""
    SELECT {_VOUCHER} FROM vouchers
    WHERE seller_id IS NOT DISTINCT FROM $seller_id::text
        AND (created_at, voucher_id) < ($after.at::timestamptz, $after.row_id::uuid)
    ORDER BY created_at DESC, voucher_id DESC
    LIMIT $limit::integer
""")
async def find_of_owner(sql: Any, seller_id: str | None, after: Position, limit: int) -> list[Voucher]:
    """Return vouchers of an owner, the newest first."""
