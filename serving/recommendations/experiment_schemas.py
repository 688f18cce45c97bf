"""The responses of the routes about experiments."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, ConfidenceInterval, Period

State = Literal["scheduled", "running", "stopped"]
MetricName = Literal["conversion", "revenue", "click_rate"]
Verdict = Literal["not_enough_data", "better", "worse", "no_difference_found", "sample_ratio_mismatch"]


class Guardrail(TypedDict):
    """A metric that no arm may harm: an arm is stopped once it certainly loses more than `max_loss`."""

    metric: str
    max_loss: Annotated[float, Field(description="Relative to the control arm: 0.05 is 5 %.")]


class ExperimentArm(TypedDict):
    """An arm of an experiment."""

    name: str
    strategy: str
    share: Annotated[float, Field(description="Share of the visitors outside the hold-out, 0 to 1.")]
    stopped_at: datetime | None


class ExperimentDefinition(TypedDict):
    """An experiment: the first of `arms` is the control."""

    name: str
    surface: str
    unit: str
    salt: str
    start: datetime
    stop: datetime | None
    state: State
    arms: list[ExperimentArm]
    guardrails: list[Guardrail]


class Experiments(TypedDict):
    """All experiments, the newest first, and the settings that concern every visitor."""

    experiments: list[ExperimentDefinition]
    holdout_share: Annotated[
        float, Field(description="Share of visitors who always get popular products; experiment `holdout`.")
    ]
    exploration_share: Annotated[
        float, Field(description="Share of lists that are drawn at random, to judge strategies on the log.")
    ]
    version: Annotated[int, Field(description="The version of the setting `recommendation_experiments`.")]


class MetricResult(TypedDict):
    """A metric of an arm, beside the control arm unless it is the control arm itself.

    Values are adjusted by what the visitors did in the 14 days before they were first shown a list (CUPED).
    """

    metric: MetricName
    value: Annotated[
        float,
        Field(description="Converting sessions or minor units of net sales per session; clicks per list."),
    ]
    difference: Annotated[
        ConfidenceInterval | None,
        Field(description="Arm less control. The interval holds however often it is looked at."),
    ]
    difference_of_one_look: Annotated[
        ConfidenceInterval | None,
        Field(description="The narrower interval, valid for one look at a time that was fixed beforehand."),
    ]
    relative: Annotated[
        ConfidenceInterval | None, Field(description="`difference` as a share of control: 0.05 is 5 % more.")
    ]
    verdict: Verdict | None


class ArmResult(TypedDict):
    """The results of an arm up to its stop. `breached` is the guardrail that it breaks."""

    name: str
    strategy: str
    is_control: bool
    stopped_at: datetime | None
    visitors: int
    metrics: list[MetricResult]
    breached: str | None


class SampleRatio(TypedDict):
    """Whether the arms have the visitors that their shares promise. `p` is null with too few visitors."""

    p: float | None
    deviation: float
    mismatch: bool


class ExperimentResults(TypedDict):
    """The results of an experiment from its start to its stop or to now."""

    definition: ExperimentDefinition
    period: Period
    currency: str
    sample_ratio: SampleRatio
    visitors_in_two_arms: Annotated[int, Field(description="They count in no arm.")]
    warnings: Annotated[list[str], Field(description="What makes the results doubtful.")]
    arms: list[ArmResult]
    as_of: AsOf


class RecommendationUplift(TypedDict):
    """What personal recommendations brought a seller, compared with visitors of the hold-out."""

    seller_id: str
    period: Period
    currency: str
    enough_data: bool
    uplift_minor: Annotated[
        ConfidenceInterval | None,
        Field(description="Net sales in minor units that recommendations added; null without enough data."),
    ]
    sequence_minor: Annotated[
        ConfidenceInterval | None,
        Field(description="The wider interval, which holds however often it is looked at."),
    ]
    bias: str
    as_of: AsOf


class AnsweredSeed(TypedDict):
    """A product of the visitor's history from which the list was computed."""

    product_id: str
    weight: float


class AnsweredItem(TypedDict):
    """A product of the list. `propensity` is the chance with which it has its place.

    The last fields are the scores of the blended sources, each relative to that of the best product of the
    source; null if the source did not propose this one.
    """

    position: int
    product_id: str
    seller_id: str
    score: float
    source: str
    propensity: float
    item_neighbours: float | None
    trained_neighbours: float | None
    similar_content: float | None
    popular_in_category: float | None


class AlternativeItem(TypedDict):
    """A product that another strategy would have shown."""

    strategy: str
    position: int
    product_id: str


class PassedOverSource(TypedDict):
    """A source that did not answer, and why."""

    source: str
    reason: str


class RecommendationAnswer(TypedDict):
    """An answer of recommendations, with what it came from."""

    recommendation_id: str
    answered_at: datetime
    visitor_id: str
    surface: str
    anchor_product_id: str | None
    experiment: str | None
    arm: str | None
    arm_propensity: float
    strategy: str
    model_version: str | None
    is_explored: bool
    seeds: list[AnsweredSeed]
    items: list[AnsweredItem]
    alternatives: list[AlternativeItem]
    answer_ms: Annotated[
        float | None,
        Field(description="Time until the list was chosen; null in answers from before it was logged."),
    ]
    passed_over: Annotated[
        list[PassedOverSource], Field(description="The sources that were asked and did not answer.")
    ]
    weights: Annotated[
        dict[str, float] | None,
        Field(
            description="The weight of each source and the discount of popularity by which the list was "
            "ranked: those of the newest training before. While a training publishes its model, answers have "
            "the weights from before it. Null for random lists, titled rows, and answers without Redis."
        ),
    ]
