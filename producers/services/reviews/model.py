"""What a review is, who may write one, and the rules that publish it or let it wait for a person. Pure."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import TypedDict

from common.clock import to_millis
from common.ids import Id, derived_event_id
from common.problems import problem
from producers.kit.http.strict_request import StrictRequest
from producers.kit.text import clean_line, clean_text, require_visible

Status = Literal["pending", "published", "rejected", "withdrawn"]
"""`pending` waits for a person and is shown only to its author and to moderators."""

Flag = Literal["links", "insult", "flood", "same_text", "related", "reported", "rejected"]
"""Why a review waits for a person.

`related`: its author is close to the seller (see users). `reported`, `rejected`: an earlier version was, and
nobody has published one since.
"""

Reason = Literal["spam", "offensive", "personal_data", "off_topic", "not_a_buyer"]
"""Why a review is rejected, or reported."""

MAX_TITLE_CHARS = 120
MAX_COMMENT_CHARS = 5_000
MAX_REPLY_CHARS = 2_000
MAX_NOTE_CHARS = 500

FLOOD_PERIOD = timedelta(hours=1)
FLOOD_REVIEWS = 10
"""A shopper who has submitted so many reviews within `FLOOD_PERIOD` waits with the next one."""

SAME_TEXT_CHARS = 40
"""Shorter comments, such as "Well packed and as described.", may be equal."""

REPORTS_TO_REOPEN = 3
"""So many reports of different shoppers put a published review into the queue, where it stays published."""

PRIOR_MEAN, PRIOR_REVIEWS = 4.0, 10
"""The Bayesian mean adds so many reviews of so many stars, so that one review moves a product little."""

UNKNOWN_LINE = problem(
    404,
    "unknown-line",
    "Unknown order line",
    "You have no order {order_id} with a line {line_number}. GET /v1/me/reviewable_lines lists what you may "
    "review. Nothing was saved.",
)
NOT_DELIVERED = problem(
    409,
    "not-delivered",
    "Not delivered yet",
    "Line {line_number} of order {order_id} has not been delivered. Review it once it has arrived. Nothing "
    "was saved.",
)
ALREADY_REVIEWED = problem(
    409,
    "already-reviewed",
    "Reviewed already",
    "Line {line_number} of order {order_id} has a review. Change it with PUT /v1/reviews/{review_id}. "
    "Nothing was saved.",
    members={"review_id": "review_id"},
)
UNKNOWN_REVIEW = problem(
    404,
    "unknown-review",
    "Unknown review",
    "There is no review {review_id} that you can do this with: it may have been withdrawn or rejected. "
    "Nothing was changed.",
)
OWN_REVIEW = problem(
    409,
    "own-review",
    "Your own review",
    "You can neither vote for nor report a review of your own. Nothing was changed.",
)
CHANGED_REVIEW = problem(
    409,
    "changed-review",
    "The review was changed meanwhile",
    "Review {review_id} has version {version} now: its author has written it anew. Read it again, then "
    "decide. Nothing was changed.",
    members={"version": "version"},
)


class ReviewText(StrictRequest):
    """What a shopper writes: stars, and a title and a text if they like. Markup is shown as text."""

    score: Annotated[int, Field(ge=1, le=5, description="1 (worst) to 5 (best).")]
    title: Annotated[str, AfterValidator(clean_line), Field(max_length=MAX_TITLE_CHARS)] = ""
    comment: Annotated[str, AfterValidator(clean_text), Field(max_length=MAX_COMMENT_CHARS)] = ""

    @property
    def written(self) -> dict[str, Any]:
        """The fields of the review that its author writes. An empty text is none."""
        values = ((name, getattr(self, name)) for name in ReviewText.model_fields)
        return {name: None if value == "" else value for name, value in values}


class ReviewRequest(ReviewText):
    """A review of a delivered line of an order."""

    order_id: Id
    line_number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    shopper_id: Annotated[Id | None, Field(description="Only for processes of the platform.")] = None


class ReplyRequest(StrictRequest):
    """A seller's reply, which everyone may read; null takes it back."""

    text: (
        Annotated[
            str,
            AfterValidator(clean_text),
            AfterValidator(require_visible),
            Field(max_length=MAX_REPLY_CHARS),
        ]
        | None
    )


class ReportRequest(StrictRequest):
    """Why a review should be looked at."""

    reason: Reason


class DecisionRequest(StrictRequest):
    """What a moderator decides about the version that they have read, and what its author is told."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    status: Literal["published", "rejected"]
    reason: Annotated[Reason | None, Field(description="Of a rejection.")] = None
    note: Annotated[str, AfterValidator(clean_text), Field(max_length=MAX_NOTE_CHARS)] | None = None

    @model_validator(mode="after")
    def _has_a_reason_to_reject(self) -> Self:
        if (self.status == "rejected") != (self.reason is not None):
            raise ValueError("a rejection, and nothing else, has a reason")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicReview:
    """A review as everyone sees it. `helpful` is the number of shoppers who found it so."""

    review_id: str
    product_id: str | None
    seller_id: str | None
    score: int
    title: str | None
    comment: str | None
    submitted_at: datetime
    reply: str | None
    replied_at: datetime | None
    helpful: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReview(PublicReview):
    """A review as its author sees it. `reason` and `note` say why it was rejected."""

    order_id: str
    line_number: int | None
    status: Status
    decided_at: datetime | None
    reason: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeratedReview(OwnReview):
    """A review as moderators see it, with the reports of its version. `source_id` is its id elsewhere."""

    source_id: str | None
    shopper_id: str
    version: int
    flags: list[Flag]
    is_queued: bool
    reports: int

    @property
    def subject(self) -> dict[str, Any]:
        """The fields of its events that say which review it is, and of what."""
        return {
            "review_id": self.source_id or self.review_id,
            "order_id": self.order_id,
            "shopper_id": self.shopper_id,
            "product_id": self.product_id,
            "seller_id": self.seller_id,
            "line_number": self.line_number,
            "score": self.score,
        }

    def next_moment(self, now: datetime) -> datetime:
        """Return the time of its next event: later than its last one by a millisecond at least."""
        last = max(filter(None, (self.submitted_at, self.decided_at)))
        return max(now, last + timedelta(milliseconds=1))

    def decided(
        self, status: Status, now: datetime, reason: str | None = None, note: str | None = None
    ) -> Self:
        """Return the review after it was published, rejected or withdrawn."""
        return replace(
            self, status=status, decided_at=self.next_moment(now), reason=reason, note=note, is_queued=False
        )

    def next_reply(self, now: datetime) -> datetime:
        """Return the time of its next reply: later than the one that it has by a millisecond at least."""
        return max(now, self.replied_at + timedelta(milliseconds=1)) if self.replied_at else now


@dataclass(frozen=True, slots=True)
class ReviewableLine:
    """A line of an order. `delivered_at` is null until the seller's part of the order has arrived.

    `review_id` is its review, which was withdrawn or rejected if the line may be reviewed.
    """

    order_id: str
    line_number: int
    product_id: str
    seller_id: str
    placed_at: datetime
    delivered_at: datetime | None
    review_id: str | None


@dataclass(frozen=True, slots=True)
class ReviewAggregate:
    """The published reviews of a product in numbers.

    `distribution` has the number of reviews with 1, 2, 3, 4 and 5 stars. `bayesian_mean` is
    (`prior_reviews` · `prior_mean` + sum of the scores) / (`prior_reviews` + `reviews`).
    """

    reviews: int
    mean: float | None
    distribution: list[int]
    bayesian_mean: float
    prior_mean: float = PRIOR_MEAN
    prior_reviews: int = PRIOR_REVIEWS


class ReviewPage(TypedDict):
    """Published reviews. `next_cursor` continues; null at the end."""

    reviews: list[PublicReview]
    next_cursor: str | None


class ProductReviews(ReviewPage):
    """The published reviews of a product, and their aggregate."""

    aggregate: ReviewAggregate


class OwnReviews(TypedDict):
    """Reviews of the sender, the newest first."""

    reviews: list[OwnReview]
    next_cursor: str | None


class ReviewQueue(TypedDict):
    """Reviews for moderators."""

    reviews: list[ModeratedReview]
    next_cursor: str | None


class Report(TypedDict):
    """A review that a person has reported, and why."""

    review_id: str
    reason: Reason


class ReviewExport(TypedDict):
    """All that is kept of a person: their reviews, and what they say about those of others."""

    reviews: list[OwnReview]
    helpful_reviews: list[str]
    reported_reviews: list[Report]


class ReviewableLines(TypedDict):
    """What the sender may review, the newest delivery first."""

    lines: list[ReviewableLine]


def aggregate(distribution: Sequence[int]) -> ReviewAggregate:
    """Return the aggregate of the numbers of reviews with 1 to 5 stars."""
    reviews = sum(distribution)
    total = sum(score * number for score, number in enumerate(distribution, 1))
    bayesian = (PRIOR_REVIEWS * PRIOR_MEAN + total) / (PRIOR_REVIEWS + reviews)
    return ReviewAggregate(
        reviews, round(total / reviews, 4) if reviews else None, list(distribution), round(bayesian, 4)
    )


def find_flags(
    text: ReviewText,
    recent: int,
    others: Collection[str],
    is_related: bool,
    before: "ModeratedReview | None" = None,
) -> list[Flag]:
    """Return why a review waits for a person; empty if it is published at once.

    `recent` is how many other reviews its author has submitted within `FLOOD_PERIOD`; `others` are
    the comments of their other reviews. `before` is its former version.
    """
    said = f"{text.title}\n{text.comment}"
    earlier = before.flags if before else []
    rules: dict[Flag, bool] = {
        "links": _LINK.search(said) is not None,
        "insult": not insults().isdisjoint(_words(said) + _words(_unmasked(said))),
        "flood": recent >= FLOOD_REVIEWS,
        "same_text": len(text.comment) >= SAME_TEXT_CHARS
        and _words(text.comment) in [_words(other) for other in others],
        "related": is_related,
        "reported": "reported" in earlier,
        "rejected": "rejected" in earlier or (before is not None and before.status == "rejected"),
    }
    return [flag for flag, applies in rules.items() if applies]


_LINK = re.compile(
    r"https?:|\bwww\.|[\w+-]@[\w-]{1,63}\.\w"
    r"|(?<![\w-])[\w-]{1,63}\.(?:app|biz|br|cn|co|com|info|io|link|me|net|online|org|pt|ru|shop|site|store|top|uk|us|xyz)\b",
    re.IGNORECASE,
)
"""An address of a page or of a mailbox. Repetitions are bounded, so that a long text takes no longer."""


def _unmasked(text: str) -> str:
    """Return a text with the letters for which its digits and signs stand: `1d!ota` is an insult, too."""
    return re.sub(r"(?<=\w)!(?=\w)", "i", text).translate(str.maketrans("013457@$", "oieastas"))


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text without accents and case."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return tuple(re.findall(r"[^\W\d_]+", plain.casefold()))


@cache
def insults() -> frozenset[str]:
    """Return the words of `insults.txt`."""
    lines = Path(__file__).with_name("insults.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def next_version(
    before: ModeratedReview | None, flags: Sequence[Flag], at: datetime, **written: Any
) -> ModeratedReview:
    """Return a review, or its next version: published, or with flags waiting for a person.

    `written` has the other fields: whose it is, what it is about, and what it says.
    """
    return ModeratedReview(
        **written,
        version=before.version + 1 if before else 1,
        status="pending" if flags else "published",
        flags=list(flags),
        is_queued=bool(flags),
        submitted_at=at,
        decided_at=None if flags else at,
        reason=None,
        note=None,
        reply=None,
        replied_at=None,
        helpful=0,
        reports=0,
    )


def event_of(review: ModeratedReview, moderated_by: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the event that says the status of a decided review, with its fields.

    The events of a review that a producer has sent have derived ids, so that a second copy is the same event.
    Texts and notes are in no event, so that they can be erased.
    """
    name, at = f"review_{review.status}", review.decided_at
    values: dict[str, Any] = {**review.subject, "submitted_at": review.submitted_at, "occurred_at": at}
    if review.source_id is not None and at is not None:
        values["event_id"] = derived_event_id(to_millis(at), name, review.source_id, review.order_id)
    if review.status == "rejected":
        values |= {"reason": review.reason, "note": None}
    if review.status != "withdrawn":
        values["moderated_by"] = moderated_by
    return name, values
