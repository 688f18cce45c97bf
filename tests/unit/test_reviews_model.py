import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from producers.services.reviews.model import (
    FLOOD_REVIEWS,
    MAX_COMMENT_CHARS,
    PRIOR_MEAN,
    PRIOR_REVIEWS,
    ModeratedReview,
    ReviewRequest,
    ReviewText,
    aggregate,
    clean_text,
    event_of,
    find_flags,
    insults,
    next_version,
)
from schemas.codec import Encoder
from schemas.events import all_events

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG = "It came early, and the box was in good order."


def text(comment: str = "Fine.", title: str = "", score: int = 5) -> ReviewText:
    return ReviewText(score=score, title=title, comment=comment)


def review(
    source_id: str | None = None, flags: tuple[str, ...] = (), before: ModeratedReview | None = None
) -> ModeratedReview:
    return next_version(
        before, flags, NOW if before is None else before.next_moment(NOW),
        review_id="r1", source_id=source_id, order_id="o1", line_number=1, shopper_id="s1", product_id="p1",
        seller_id="x1", score=4, title=None, comment="Fine.",
    )  # fmt: skip


@pytest.mark.parametrize("score", [0, 6, -1, 2**40, 4.5, "5", None])
def test_a_score_is_an_integer_from_1_to_5(score: object) -> None:
    with pytest.raises(ValidationError):
        ReviewText.model_validate({"score": score})


def test_a_comment_that_is_too_long_is_refused_not_cut() -> None:
    ReviewText(score=1, comment="x" * MAX_COMMENT_CHARS)
    with pytest.raises(ValidationError, match="5000"):
        ReviewText(score=1, comment="x" * 20_000)


def test_a_text_that_is_too_long_once_it_is_clean_is_refused() -> None:
    with pytest.raises(ValidationError, match="5000"):
        ReviewText(score=1, comment="\u0958" * MAX_COMMENT_CHARS)


def test_a_request_has_no_further_fields() -> None:
    with pytest.raises(ValidationError):
        ReviewRequest.model_validate({"order_id": "o", "line_number": 1, "score": 5, "status": "published"})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\u202eb", "ab"),
        ("a\u200bb\ufeff", "ab"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("  a\t", "a"),
        ("<b>a</b> & 1 < 2", "<b>a</b> & 1 < 2"),
        ("cafe\u0301", "café"),
        ("\u2066\u2069\u200e", ""),
        ("👍🏽 ótimo", "👍🏽 ótimo"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\u3164\u2800\u034f", ""),
    ],
)
def test_a_text_loses_what_nobody_can_see(written: str, shown: str) -> None:
    assert clean_text(written) == shown


@given(st.text())
def test_a_clean_text_stays_as_it_is(written: str) -> None:
    cleaned = clean_text(written)
    assert clean_text(cleaned) == cleaned
    assert all(each == "\n" or unicodedata.category(each)[0] != "C" for each in cleaned)


def test_a_title_is_one_line() -> None:
    assert text(title=" a\n b\t c ").title == "a b c"


@given(st.lists(st.integers(0, 50), min_size=5, max_size=5))
def test_an_aggregate_counts_every_review_once(distribution: list[int]) -> None:
    found = aggregate(distribution)
    scores = [score for score, number in enumerate(distribution, 1) for _ in range(number)]
    assert found.reviews == len(scores)
    assert found.mean == (round(sum(scores) / len(scores), 4) if scores else None)
    prior = [PRIOR_MEAN] * PRIOR_REVIEWS
    assert found.bayesian_mean == pytest.approx(sum(prior + scores) / len(prior + scores), abs=1e-4)
    if scores:
        low, high = sorted((PRIOR_MEAN, found.mean or 0))
        assert low - 1e-4 <= found.bayesian_mean <= high + 1e-4


@pytest.mark.parametrize(
    "comment",
    [
        "see https://example.org/x", "see HTTP://EXAMPLE", "www.shop", "write to me@shop.example",
        "buy at cheap.shop",
        "cheap-phones.com.br has it",
    ],
)  # fmt: skip
def test_a_link_waits_for_a_person(comment: str) -> None:
    assert find_flags(text(comment), 0, (), False) == ["links"]
    assert find_flags(text("Fine.", title=comment), 0, (), False) == ["links"]


@pytest.mark.parametrize("comment", ["5.000 reais", "Bom.Muito bom", "It works... ok", "3.5 of 5", "a@b"])
def test_a_number_or_a_missing_space_is_no_link(comment: str) -> None:
    assert find_flags(text(comment), 0, (), False) == []


@pytest.mark.parametrize(
    "comment", ["You IDIOT!", "1d10ta", "Ladrão", "que mérda", "sh!t", "a m0r0n!", "ＦＵＣＫ"]
)
def test_an_insult_waits_for_a_person_however_it_is_written(comment: str) -> None:
    assert find_flags(text(comment), 0, (), False) == ["insult"]


def test_a_word_that_only_contains_an_insult_is_none() -> None:
    assert find_flags(text("Scunthorpe, computador, reputation"), 0, (), False) == []


def test_every_insult_is_found() -> None:
    assert len(insults()) > 20
    for word in insults():
        assert find_flags(text(word), 0, (), False) == ["insult"], word


def test_a_flood_waits_for_a_person() -> None:
    assert find_flags(text(), FLOOD_REVIEWS - 1, (), False) == []
    assert find_flags(text(), FLOOD_REVIEWS, (), False) == ["flood"]


def test_the_same_text_again_waits_for_a_person_unless_it_is_short() -> None:
    assert find_flags(text(LONG), 0, [LONG.upper().replace(",", "")], False) == ["same_text"]
    assert find_flags(text("Very good!"), 0, ["Very good!"], False) == []
    assert find_flags(text(LONG), 0, [LONG + " Thanks."], False) == []


def test_someone_close_to_the_seller_waits_and_every_rule_is_named() -> None:
    comment = "idiot, see https://example.org and again"
    assert find_flags(text(comment), FLOOD_REVIEWS, [comment], True) == [
        "links", "insult", "flood", "same_text", "related",
    ]  # fmt: skip


def test_who_was_rejected_or_reported_waits_with_each_version_until_a_person_publishes_one() -> None:
    rejected = review().decided("rejected", NOW, "spam")
    again = review(flags=tuple(find_flags(text(), 0, (), False, rejected)), before=rejected)
    assert again.flags == ["rejected"]
    for before in (again, again.decided("withdrawn", NOW), replace(review(), flags=["rejected"])):
        assert find_flags(text(), 0, (), False, before) == ["rejected"]
    assert find_flags(text(), 0, (), False, replace(review(), flags=["reported"])) == ["reported"]
    assert find_flags(text(), 0, (), False, replace(review(), flags=["links", "flood"])) == []


def test_a_review_without_flags_is_published_and_one_with_flags_waits() -> None:
    published, waiting = review(), review(flags=("links",))
    assert (published.status, published.decided_at, published.is_queued) == ("published", NOW, False)
    assert (waiting.status, waiting.decided_at, waiting.is_queued) == ("pending", None, True)


def test_a_version_is_withdrawn_after_it_was_published_also_by_an_earlier_submission() -> None:
    published = replace(review(), decided_at=NOW + timedelta(hours=1))
    withdrawn = published.decided("withdrawn", NOW + timedelta(minutes=1))
    assert (withdrawn.submitted_at, withdrawn.status) == (NOW, "withdrawn")
    assert withdrawn.decided_at == NOW + timedelta(hours=1, milliseconds=1)


def test_the_next_version_keeps_the_id_loses_the_reply_and_comes_later() -> None:
    first = replace(review(), reply="Thanks!", replied_at=NOW)
    second = review(before=first)
    assert (second.reply, second.replied_at) == (None, None)
    assert (second.version, second.review_id) == (2, first.review_id)
    assert second.submitted_at - first.submitted_at == timedelta(milliseconds=1)


@pytest.mark.parametrize("status", ["published", "rejected", "withdrawn"])
@pytest.mark.parametrize("source_id", [None, "their-1"])
def test_every_decision_has_an_event_that_can_be_encoded(status: str, source_id: str | None) -> None:
    decided = replace(review(source_id), status=status, reason="spam" if status == "rejected" else None)
    name, values = event_of(decided, "administrator")
    record = {"event_id": "e", **values}
    assert Encoder(all_events()[name], 1).encode(record)
    assert (values["submitted_at"], values["occurred_at"]) == (NOW, NOW)
    assert values["review_id"] == (source_id or "r1")
    assert not {"title", "comment", "text"} & values.keys()


def test_the_event_of_a_producers_review_is_the_same_each_time() -> None:
    (_, one), (_, other), (_, own) = event_of(review("a")), event_of(review("a")), event_of(review())
    assert one["event_id"] == other["event_id"]
    assert event_of(review("b"))[1]["event_id"] != one["event_id"]
    assert "event_id" not in own
