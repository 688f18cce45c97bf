"""The variables that a user selects at the top of a dashboard."""

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable, TextBoxVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh

from common.experiments.assignment import HOLDOUT
from dashboards.queries import PanelQueries
from dashboards.targets import CLICKHOUSE

GRAINS = ("minute", "hour", "day", "week", "month")


def grain_variable() -> CustomVariable:
    """Return the variable `grain`, the length of a bucket."""
    options = [VariableOption(selected=grain == "day", text=grain, value=grain) for grain in GRAINS]
    return (
        CustomVariable("grain").label("Bucket").description("Length of a bucket, in the shop's time zone.")
        .values(",".join(GRAINS)).options(options).current(options[GRAINS.index("day")])
    )  # fmt: skip


def seller_variable(queries: PanelQueries) -> QueryVariable:
    """Return the variable `seller_id`, one of the sellers that sell most."""
    query: dict[str, object] = {
        "editorType": "sql",
        "rawSql": queries.sql("seller/sellers"),
        "refId": "A",
    }
    return (
        QueryVariable("seller_id").label("Seller").description("The seller whom the dashboard shows.")
        .query(query).datasource(CLICKHOUSE).refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )  # fmt: skip


def experiment_variable() -> TextBoxVariable:
    """Return the variable `experiment`, the name of an experiment; at first the permanent hold-out."""
    return (
        TextBoxVariable("experiment").label("Experiment").description("The name of an experiment.")
        .default_value(HOLDOUT)
    )  # fmt: skip
