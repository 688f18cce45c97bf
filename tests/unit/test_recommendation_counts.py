from common.metrics import REGISTRY
from serving.event_collector.service import count_recommendations
from serving.event_collector.validation import ValidEvent


def counted(metric: str, surface: str) -> float:
    return REGISTRY.get_sample_value(f"souk_recommendation_{metric}_total", {"surface": surface}) or 0


def test_every_product_of_a_list_is_an_impression_and_other_events_are_none() -> None:
    before = counted("impressions", "cart"), counted("clicks", "cart")
    shown = ValidEvent("recommendation_shown", {"surface": "cart", "items": [{}, {}, {}]})
    clicked = ValidEvent("recommendation_clicked", {"surface": "cart"})
    count_recommendations([shown, clicked, ValidEvent("product_viewed", {})])

    assert (counted("impressions", "cart"), counted("clicks", "cart")) == (before[0] + 3, before[1] + 1)


def test_a_surface_that_a_client_made_up_is_no_label() -> None:
    before = counted("clicks", "other")
    count_recommendations([ValidEvent("recommendation_clicked", {"surface": "a very long text"})])

    assert counted("clicks", "other") == before + 1
    assert counted("clicks", "a very long text") == 0
