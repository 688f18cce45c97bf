"""The requests and responses of the routes about trainings."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from common.ids import PRINTABLE
from common.training_runs import TrainingOutcome, Trigger
from serving.kit.response_types import ConfidenceInterval

ShownTrigger = Trigger | Literal["not_recorded"]


class OfflineFigure(TypedDict):
    """A metric of a model on the newest days, which it had not learned from (docs/evaluation.md)."""

    metric: Annotated[str, Field(examples=["ndcg@20"])]
    value: ConfidenceInterval


class OfflineComparison(TypedDict):
    """The trained model less another one, on the same visitors."""

    model: Annotated[str, Field(examples=["item_item"])]
    metric: str
    difference: ConfidenceInterval
    p: Annotated[float, Field(description="Of a randomisation test.")]


class JudgedStrategy(TypedDict):
    """The click rate that a strategy would have had, estimated from random lists (docs/experiments.md)."""

    strategy: str
    click_rate: Annotated[ConfidenceInterval, Field(description="Clicks for each place, doubly robust.")]
    difference: Annotated[ConfidenceInterval | None, Field(description="Less that of the champion.")]
    winner: Annotated[str | None, Field(description="This or the champion; null if the log can't tell.")]
    effective_places: Annotated[float, Field(description="Places that would tell as much.")]


class OffPolicyJudgement(TypedDict):
    """How the strategies do on the random lists of the log at the time of the training."""

    champion: str
    places: Annotated[int, Field(description="Places of random lists that came into view.")]
    strategies: list[JudgedStrategy]


class BlendWeights(TypedDict):
    """The weights of the sources from this training on, and why they were learned or kept, by surface."""

    weights: Annotated[
        dict[str, dict[str, float]],
        Field(examples=[{"home": {"item_neighbours": 0.4, "trained_neighbours": 0.6}}]),
    ]
    reasons: dict[str, str]


class Training(TypedDict):
    """A training: what started it, how it ended, what it learned from, and how good the model was."""

    training_id: str
    trigger: Annotated[
        ShownTrigger, Field(description="What started it; not_recorded before trainings were recorded.")
    ]
    trigger_details: Annotated[str, Field(description="The figures of the drift that started it, or empty.")]
    outcome: TrainingOutcome
    reason: Annotated[str, Field(description="Why it has this outcome.")]
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    peak_memory_mb: float | None
    version: Annotated[str | None, Field(description="Null if the training ended before it had a model.")]
    model: str | None
    is_live: Annotated[bool, Field(description="Whether recommendations come from this model.")]
    is_kept: Annotated[bool, Field(description="Whether recommendations can come from this model again.")]
    events: Annotated[int | None, Field(description="Views, additions to carts and bought lines.")]
    first_event_at: datetime | None
    last_event_at: datetime | None
    figures: Annotated[list[OfflineFigure], Field(description="Of the trained model; empty without a card.")]
    compared: list[OfflineComparison]
    off_policy: OffPolicyJudgement | None
    blend_weights: BlendWeights | None


class RollBack(TypedDict):
    """Who went back to the live version, when and why."""

    at: datetime
    by: str
    reason: str


class LiveModel(TypedDict):
    """The version that answers requests, and the one before it, to which a roll-back leads."""

    version: str | None
    previous: str | None
    rolled_back: RollBack | None


class Trainings(TypedDict):
    """A page of trainings, the newest first."""

    trainings: list[Training]
    live: Annotated[LiveModel | None, Field(description="Null while Redis does not answer.")]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]


class TrainingDetails(Training):
    """A training with its whole model card."""

    card: Annotated[
        dict[str, Any] | None,
        Field(description="Data, split, search, evaluated models; null if the training ended before."),
    ]


class RollBackRequest(BaseModel):
    """Why to go back to a model."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    reason: str = Field(min_length=3, max_length=500, pattern=PRINTABLE)
