"""Who may use the routes of the commerce services: those whom the services' own policies admit.

The services check the same again, and who owns what.
"""

from collections.abc import Mapping

from common.access_policy import AccessPolicy
from producers.alerts import policy as alerts
from producers.configuration import policy as configuration
from producers.inventory import policy as inventory
from producers.orders import policy as orders
from producers.sellers import policy as sellers
from producers.users import policy as users


def _forwarded(service: Mapping[str, AccessPolicy], **routes: str) -> Mapping[str, AccessPolicy]:
    """Return the policies of routes that forward to a service: route → the service's own route."""
    return {route: service[name] for route, name in routes.items()}


POLICIES: Mapping[str, AccessPolicy] = {
    **_forwarded(
        orders.POLICIES, place_order="place", own_orders="list_own", order="show", cancel_order="cancel"
    ),
    **_forwarded(inventory.POLICIES, stock="show", set_stock="set_one", set_stocks="set_many"),
}

IDENTITY = _forwarded(
    users.POLICIES,
    register="create_registration",
    verify_email="create_verification",
    sign_in="create_session",
    refresh="refresh_session",
    ask_for_password_reset="create_password_reset",
    reset_password="confirm_password_reset",
    confirm_email_change="confirm_email_change",
    unsubscribe="create_unsubscription",
    sign_out="end_current_session",
    me="show_me",
    change_me="change_me",
    change_password="set_my_password",
    change_email="create_email_change",
    my_sessions="list_my_sessions",
    end_my_session="end_my_session",
    my_recommendation_mails="show_my_recommendation_mails",
    set_my_recommendation_mails="set_my_recommendation_mails",
    my_followed_sellers="list_my_followed_sellers",
    follow_seller="follow_seller",
    unfollow_seller="unfollow_seller",
    my_addresses="list_my_addresses",
    save_my_address="set_my_address",
    delete_my_address="delete_my_address",
    export_me="export_me",
    erase_me="erase_me",
    people="list_people",
    person="show_person",
    set_person_role="set_person_role",
    suspend_person="suspend_person",
    end_person_suspension="end_person_suspension",
    mails="list_mails",
)

SELLERS = _forwarded(
    sellers.POLICIES,
    apply_to_sell="apply",
    my_applications="show_mine",
    applications="list_applications",
    approve_application="approve",
    refuse_application="refuse",
    suspend_seller="suspend",
    reinstate_seller="reinstate",
    seller_profile="show_profile",
    change_seller_profile="change_profile",
    staff="list_staff",
    invite_to_staff="create_invitation",
    withdraw_invitation="withdraw_invitation",
    find_invitation="find_invitation",
    accept_invitation="accept_invitation",
    refuse_invitation="refuse_invitation",
    change_staff="change_staff",
    remove_staff="remove_staff",
    api_keys="list_keys",
    create_api_key="create_key",
    revoke_api_key="revoke_key",
    commission="show_commission",
    costs="show_costs",
    costs_csv="download_costs",
    set_costs="set_costs",
    commission_rules="list_rules",
    add_commission_rule="add_rule",
)

SETTINGS = _forwarded(
    configuration.POLICIES,
    settings="show_all",
    setting_history="show_history",
    change_setting="change",
    roll_back_setting="rollback",
)

ALERTS = _forwarded(
    alerts.POLICIES,
    alert_rules="list_rules",
    alert_messages="list_messages",
    create_alert_rule="create_rule",
    change_alert_rule="change_rule",
    delete_alert_rule="delete_rule",
    pause_alert_rule="pause_rule",
    resume_alert_rule="resume_rule",
    test_alert_rule="test_rule",
    reports="list_reports",
    create_report="create_report",
    delete_report="delete_report",
    pause_report="pause_report",
    resume_report="resume_report",
    views="list_views",
    save_view="save_view",
    delete_view="delete_view",
)
