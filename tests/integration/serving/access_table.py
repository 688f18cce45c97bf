"""Who may use each route: written by hand, and compared with what the gateway does.

A line names the route and the groups that may use it. After `|` are the groups that may use it with the ids
of somebody else. Without `|`, the path names nobody.
"""

from collections.abc import Mapping

GROUPS: Mapping[str, frozenset[str]] = {
    name: frozenset(members.split())
    for name, members in {
        "people": "shopper owner manager staff_analyst packer other_owner analyst admin",
        "visitors": "guest shopper owner manager staff_analyst packer other_owner analyst admin",
        "figures": "owner manager staff_analyst",
        "staff": "owner manager staff_analyst packer",
        "managers": "owner manager",
        "keepers": "owner manager packer other_owner",
        "workers": "owner manager staff_analyst packer other_owner key",
        "marketplace": "analyst admin platform",
        "everybody": (
            "nobody guest shopper owner manager staff_analyst packer other_owner key analyst admin platform"
        ),
    }.items()
}

TABLE = """
GET /health                                      everybody
GET /ready                                       everybody
GET /metrics                                     everybody
GET /openapi.json                                everybody
GET /.well-known/jwks.json                       everybody
POST /v1/auth/guest_sessions                     everybody

GET /v1/sellers/{seller_id}/sales                figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/sales/change         figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/products/top         figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/orders               staff key marketplace | marketplace
GET /v1/sellers/{seller_id}/tasks                staff key marketplace | marketplace
GET /v1/sellers/{seller_id}/signals              figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/parcels/due          staff key marketplace | marketplace
GET /v1/sellers/{seller_id}/parcels/due/export.csv  staff key marketplace | marketplace
GET /v1/sellers/{seller_id}/reviews              figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/reviews/export.csv   figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/recommendation_uplift  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/{metric}   figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/{metric}/rows  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/{metric}/export.csv  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/{metric}/export.parquet  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/{metric}/rows/export.csv  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/analytics/{metric}/rows/export.parquet  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/metrics/live         figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/customers/cohorts  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/customers/cohorts/export.csv  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/customers/segments figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/customers/segments/export.csv  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/products/price-changes  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/products/price-changes/export.csv  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/products/bought-together  figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/products/bought-together/export.csv  figures key marketplace | marketplace
POST /v1/sellers/{seller_id}/sql                 figures key marketplace | marketplace
GET /v1/products/{product_id}/reviews            everybody
POST /v1/reviews                                 people platform
PUT /v1/reviews/{review_id}                      people platform
DELETE /v1/reviews/{review_id}                   people platform
PUT /v1/reviews/{review_id}/helpful              people
DELETE /v1/reviews/{review_id}/helpful           people
POST /v1/reviews/{review_id}/reports             people
GET /v1/me/reviews                               people
GET /v1/me/reviewable_lines                      people
GET /v1/sellers/{seller_id}/published_reviews    staff admin | admin
PUT /v1/sellers/{seller_id}/published_reviews/{review_id}/reply  managers admin | admin
GET /v1/admin/reviews                            admin
PUT /v1/admin/reviews/{review_id}/decision       admin
GET /v1/sellers/{seller_id}/listings            staff key admin | admin
POST /v1/sellers/{seller_id}/listings           managers key admin platform | admin platform
GET /v1/sellers/{seller_id}/listings/{product_id}  staff key admin | admin
PUT /v1/sellers/{seller_id}/listings/{product_id}  managers key admin platform | admin platform
DELETE /v1/sellers/{seller_id}/listings/{product_id}  managers key admin platform | admin platform
PUT /v1/sellers/{seller_id}/listings/{product_id}/price  managers key admin platform | admin platform
GET /v1/sellers/{seller_id}/listings/{product_id}/prices  staff key admin | admin
POST /v1/sellers/{seller_id}/offers             managers key admin platform | admin platform
PUT /v1/sellers/{seller_id}/offers/{product_id} managers key admin platform | admin platform
GET /v1/sellers/{seller_id}/holiday             staff key admin | admin
PUT /v1/sellers/{seller_id}/holiday             managers key admin platform | admin platform
DELETE /v1/sellers/{seller_id}/holiday          managers key admin platform | admin platform
GET /v1/sellers/{seller_id}/restock             staff admin | admin
POST /v1/sellers/{seller_id}/pictures           managers key admin platform | admin platform
GET /v1/sellers/{seller_id}/pictures/{picture_id}  staff key admin | admin
GET /v1/pictures/{sha256}/{size}                everybody
POST /v1/sellers/{seller_id}/listing_imports    managers key admin platform | admin platform
GET /v1/sellers/{seller_id}/listing_imports     staff key admin | admin
GET /v1/sellers/{seller_id}/listing_imports/{import_id}  staff key admin | admin
GET /v1/sellers/{seller_id}/listing_imports/{import_id}/report.csv  staff key admin | admin
GET /v1/sellers/{seller_id}/listings.csv        staff key admin | admin
GET /v1/category_tree                            everybody
PUT /v1/admin/categories/{category_id}          admin
DELETE /v1/admin/categories/{category_id}       admin
PUT /v1/admin/attributes/{key}                  admin
GET /v1/admin/listings                          admin
PUT /v1/admin/listings/{product_id}/{seller_id}/block     admin | admin
DELETE /v1/admin/listings/{product_id}/{seller_id}/block  admin | admin
GET /v1/analytics/metrics                        everybody
GET /v1/analytics/metrics/{metric}               everybody
GET /v1/sellers                                  marketplace
GET /v1/marketplace/sales                        marketplace
GET /v1/marketplace/signals                      marketplace
GET /v1/marketplace/analytics/{metric}           marketplace
GET /v1/marketplace/analytics/{metric}/export.csv  marketplace
GET /v1/live                                     staff other_owner marketplace
GET /v1/products/popular                         everybody
GET /v1/products                                 everybody
GET /v1/products/suggestions                     everybody
GET /v1/products/{product_id}                    everybody
GET /v1/categories                               everybody
GET /v1/recommendations/{visitor_id}             visitors platform | platform
GET /v1/recommendations/{visitor_id}/rows        visitors platform | platform
GET /v1/recommendations/{visitor_id}/products    visitors platform | platform
GET /v1/recommendations/{visitor_id}/sellers     visitors platform | platform
GET /v1/products/{product_id}/similar            everybody
POST /v1/events                                  visitors platform
GET /v1/cart                                     visitors
POST /v1/cart/lines                              visitors platform
PUT /v1/cart/lines/{product_id}                  visitors platform
DELETE /v1/cart/lines/{product_id}               visitors platform
PUT /v1/cart/vouchers/{code}                     visitors platform
DELETE /v1/cart/vouchers/{code}                  visitors platform
POST /v1/orders                                  visitors platform
GET /v1/orders/{order_id}                        visitors platform
POST /v1/orders/{order_id}/cancellation          visitors platform
POST /v1/orders/quotes                           visitors platform
GET /v1/products/{product_id}/stock              everybody
GET /v1/sellers/{seller_id}/stock                everybody | everybody
PUT /v1/products/{product_id}/stock              keepers key admin platform
PUT /v1/stock                                    keepers key admin platform

GET /                                            everybody
GET /docs                                        everybody
GET /sellers                                     everybody
POST /language                                   everybody
GET /sell/{seller_id}                            figures marketplace | marketplace
GET /sell/{seller_id}/products                   figures marketplace | marketplace
GET /sell/{seller_id}/metrics                    figures marketplace | marketplace
GET /sell/{seller_id}/change                     figures marketplace | marketplace
GET /sell/{seller_id}/customers                  figures marketplace | marketplace
GET /sell/{seller_id}/live                       figures marketplace | marketplace
GET /sell/{seller_id}/live/events                figures marketplace | marketplace
GET /sell/{seller_id}/earnings                   figures marketplace | marketplace
GET /sell/{seller_id}/fulfilment                 staff marketplace | marketplace
GET /sell/{seller_id}/reviews                    figures marketplace | marketplace
GET /sell/{seller_id}/recommendations            figures marketplace | marketplace
GET /sell/{seller_id}/tasks                      figures marketplace | marketplace
GET /sell/{seller_id}/signals                    figures marketplace | marketplace
GET /sell/{seller_id}/sql                        figures marketplace | marketplace
POST /sell/{seller_id}/sql                       figures marketplace | marketplace
GET /sell/{seller_id}/alerts                     figures marketplace | marketplace
POST /sell/{seller_id}/alerts/rules              managers admin | admin
GET /sell/{seller_id}/alerts/rules/{rule_id}     figures marketplace | marketplace
POST /sell/{seller_id}/alerts/rules/{rule_id}    managers admin | admin
POST /sell/{seller_id}/alerts/rules/{rule_id}/{action}      managers admin | admin
POST /sell/{seller_id}/alerts/reports            managers admin | admin
POST /sell/{seller_id}/alerts/reports/{report_id}/{action}  managers admin | admin
POST /sell/{seller_id}/metrics/views             managers admin | admin
POST /sell/{seller_id}/metrics/views/{view_id}/removal      managers admin | admin
GET /sell/{seller_id}/orders                     figures marketplace | marketplace
GET /shop                                        everybody
GET /shop/recommended                            everybody
GET /shop/categories/{category_id}                everybody
GET /shop/sellers/{seller_id}                    everybody | everybody
GET /shop/suggestions                           everybody
GET /shop/products                               everybody
GET /shop/found                                  everybody
GET /shop/products/{product_id}                  everybody
GET /shop/visitor                                everybody
GET /shop/cart                                   everybody
GET /shop/cart/state                             everybody
POST /shop/cart/lines                            everybody
POST /shop/cart/lines/{product_id}               everybody
POST /shop/cart/vouchers                         everybody
GET /shop/orders                                 everybody
GET /shop/orders/{order_id}                      visitors platform
GET /shop/orders/{order_id}/state                visitors platform
POST /shop/orders/{order_id}/again               visitors platform

GET /v1/orders                                   visitors
GET /v1/ops/services                             admin platform
GET /v1/ops/overview                             admin platform
GET /v1/ops/audits                               admin platform
GET /v1/ops/audits/{audit_id}                    admin platform
GET /v1/mails                                    admin platform
GET /v1/admin/experiments                        admin platform
GET /v1/admin/experiments/{name}                 admin platform
GET /v1/admin/recommendations/health             admin platform
GET /v1/admin/recommendations/trainings          admin platform
GET /v1/admin/recommendations/trainings/{training_id}             admin platform
POST /v1/admin/recommendations/trainings/{training_id}/rollback   admin platform
GET /v1/admin/recommendations/{recommendation_id}  admin platform
GET /v1/settings                                 admin platform
GET /v1/settings/{name}/history                  admin platform
PUT /v1/settings/{name}                          admin platform
POST /v1/settings/{name}/rollback                admin platform

POST /v1/auth/registrations                      everybody
POST /v1/auth/verifications                      everybody
POST /v1/auth/sessions                           everybody
POST /v1/auth/refresh                            everybody
POST /v1/auth/password_resets                    everybody
POST /v1/auth/password_resets/confirmations      everybody
POST /v1/auth/email_changes/confirmations        everybody
POST /v1/auth/unsubscriptions                    everybody
DELETE /v1/auth/sessions/current                 people
GET /v1/me                                       people
PATCH /v1/me                                     people
POST /v1/me/password                             people
POST /v1/me/email_changes                        people
GET /v1/me/sessions                              people
DELETE /v1/me/sessions/{session_id}              people
GET /v1/me/recommendation_mails                  people
PUT /v1/me/recommendation_mails                  people
GET /v1/me/followed_sellers                      people
PUT /v1/me/followed_sellers/{seller_id}          people
DELETE /v1/me/followed_sellers/{seller_id}       people
GET /v1/me/addresses                             people
PUT /v1/me/addresses/{address_id}                people
DELETE /v1/me/addresses/{address_id}             people
GET /v1/me/export                                people
POST /v1/me/erasure                              people
GET /v1/people                                   admin
GET /v1/people/{user_id}                         admin
PUT /v1/people/{user_id}/role                    admin
POST /v1/people/{user_id}/suspension             admin
DELETE /v1/people/{user_id}/suspension           admin

POST /v1/seller_applications                     people
GET /v1/seller_applications/mine                 people
GET /v1/seller_applications                      admin
POST /v1/seller_applications/{application_id}/approval  admin
POST /v1/seller_applications/{application_id}/refusal   admin
POST /v1/sellers/{seller_id}/suspension          admin | admin
DELETE /v1/sellers/{seller_id}/suspension        admin | admin
GET /v1/sellers/{seller_id}/profile              staff key admin platform | admin platform
PATCH /v1/sellers/{seller_id}/profile            managers key admin | admin
GET /v1/sellers/{seller_id}/staff                managers key admin | admin
POST /v1/sellers/{seller_id}/staff_invitations   managers admin platform | admin platform
DELETE /v1/sellers/{seller_id}/staff_invitations/{invitation_id}  managers admin | admin
POST /v1/staff_invitations/lookups               people
POST /v1/staff_invitations/acceptances           people
POST /v1/staff_invitations/refusals              people
PUT /v1/sellers/{seller_id}/staff/{user_id}      managers admin | admin
DELETE /v1/sellers/{seller_id}/staff/{user_id}   staff admin | admin
GET /v1/sellers/{seller_id}/api_keys             managers admin | admin
POST /v1/sellers/{seller_id}/api_keys            managers admin | admin
DELETE /v1/sellers/{seller_id}/api_keys/{key_id} managers admin | admin
GET /v1/sellers/{seller_id}/commission           staff key admin | admin
GET /v1/sellers/{seller_id}/costs                figures key admin | admin
GET /v1/sellers/{seller_id}/costs.csv            figures key admin | admin
PUT /v1/sellers/{seller_id}/costs                managers key admin | admin
GET /v1/sellers/{seller_id}/vouchers             managers key admin platform | admin platform
POST /v1/sellers/{seller_id}/vouchers            managers key admin platform | admin platform
POST /v1/sellers/{seller_id}/vouchers/{voucher_id}/end managers key admin platform | admin platform
GET /v1/vouchers                                 admin platform
POST /v1/vouchers                                admin platform
POST /v1/vouchers/{voucher_id}/end               admin platform
GET /v1/sellers/{seller_id}/alerts               figures key marketplace | marketplace
GET /v1/sellers/{seller_id}/alerts/messages      figures key marketplace | marketplace
POST /v1/sellers/{seller_id}/alerts              managers admin | admin
DELETE /v1/sellers/{seller_id}/alerts/{rule_id}  managers admin | admin
PUT /v1/sellers/{seller_id}/alerts/{rule_id}     managers admin | admin
POST /v1/sellers/{seller_id}/alerts/{rule_id}/pause    managers admin | admin
DELETE /v1/sellers/{seller_id}/alerts/{rule_id}/pause  managers admin | admin
POST /v1/sellers/{seller_id}/alerts/{rule_id}/tests    managers admin | admin
GET /v1/sellers/{seller_id}/reports              figures key marketplace | marketplace
POST /v1/sellers/{seller_id}/reports             managers admin | admin
DELETE /v1/sellers/{seller_id}/reports/{report_id}       managers admin | admin
POST /v1/sellers/{seller_id}/reports/{report_id}/pause   managers admin | admin
DELETE /v1/sellers/{seller_id}/reports/{report_id}/pause managers admin | admin
GET /v1/sellers/{seller_id}/views                figures key marketplace | marketplace
POST /v1/sellers/{seller_id}/views               managers admin | admin
DELETE /v1/sellers/{seller_id}/views/{view_id}   managers admin | admin
GET /v1/commission_rules                         admin
POST /v1/commission_rules                        admin

GET /sign-in                                     everybody
POST /sign-in                                    everybody
GET /sign-up                                     everybody
POST /sign-up                                    everybody
GET /verify                                      everybody
POST /verify                                     everybody
GET /forgotten-password                          everybody
POST /forgotten-password                         everybody
GET /reset                                       everybody
POST /reset                                      everybody
GET /confirm_email                               everybody
POST /confirm_email                              everybody
GET /unsubscribe                                 everybody
POST /unsubscribe                                everybody
GET /staff_invitation                            people
POST /staff_invitation                           people
POST /staff_invitation/refusal                   people
GET /session/me                                  everybody
GET /session/refresh                             everybody
POST /session/refresh                            everybody
POST /session/resend                             everybody
POST /session/sign-out                           everybody
POST /sign-out                                   everybody
POST /look-as                                    everybody
GET /ops/mail                                    admin platform
GET /account                                     people
POST /account/profile                            people
POST /account/mails                              people
GET /account/orders                              people
GET /account/sellers                             people
POST /account/sellers                            people
POST /account/sellers/{seller_id}/end            people
GET /account/addresses                           people
POST /account/addresses                          people
POST /account/addresses/{address_id}/deletion    people
GET /account/sessions                            people
POST /account/sessions/{session_id}/end          people
GET /account/security                            people
POST /account/password                           people
POST /account/email                              people
GET /account/data                                people
GET /account/export                              people
POST /account/erasure                            people

GET /shop/products/{product_id}/reviews          everybody
GET /shop/products/{product_id}/reviews/summary  everybody
POST /shop/products/{product_id}/reviews/{review_id}/helpful  people
POST /shop/products/{product_id}/reviews/{review_id}/report   people
GET /shop/reviews                                people
POST /shop/reviews                               people
POST /shop/reviews/{review_id}                   people
POST /shop/reviews/{review_id}/withdrawal        people
GET /sell/{seller_id}/replies                    staff admin | admin
POST /sell/{seller_id}/replies/{review_id}       managers admin | admin
GET /admin/listings                              admin platform
POST /admin/listings/{product_id}/{seller_id}/block    admin platform | admin platform
POST /admin/listings/{product_id}/{seller_id}/unblock  admin platform | admin platform
GET /admin/categories                            admin platform
POST /admin/categories                           admin platform
GET /admin/categories/{category_id}              admin platform
POST /admin/categories/{category_id}             admin platform
POST /admin/categories/{category_id}/removal     admin platform
GET /admin/vouchers                              admin platform
POST /admin/vouchers                             admin platform
POST /admin/vouchers/{voucher_id}/end            admin platform
POST /admin/attributes                           admin platform
GET /admin/attributes/{key}                      admin platform
POST /admin/attributes/{key}                     admin platform
GET /admin/reviews                               admin platform
POST /admin/reviews/{review_id}/{decision}       admin platform

GET /sell/apply                                  people
POST /sell/apply                                 people
GET /sell/{seller_id}/listings                   staff admin | admin
POST /sell/{seller_id}/listings                  owner manager packer admin | admin
GET /sell/{seller_id}/listings/{product_id}      staff admin | admin
POST /sell/{seller_id}/listings/{product_id}     managers admin | admin
POST /sell/{seller_id}/listings/{product_id}/removal  managers admin | admin
POST /sell/{seller_id}/listings/{product_id}/return   managers admin | admin
GET /sell/{seller_id}/listings/{product_id}/pictures   managers admin | admin
POST /sell/{seller_id}/listings/{product_id}/pictures  managers admin | admin
POST /sell/{seller_id}/listings/{product_id}/pictures/new  managers admin | admin
GET /sell/{seller_id}/imports                    staff admin | admin
POST /sell/{seller_id}/imports                   managers admin | admin
GET /sell/{seller_id}/imports/{import_id}        staff admin | admin
GET /sell/{seller_id}/list                       managers admin | admin
POST /sell/{seller_id}/list                      managers admin | admin
POST /sell/{seller_id}/offers                    managers admin | admin
POST /sell/{seller_id}/holiday                   managers admin | admin
POST /sell/{seller_id}/holiday/end               managers admin | admin
GET /sell/{seller_id}/restock                    staff admin | admin
POST /sell/{seller_id}/restock/{product_id}      owner manager packer admin | admin
GET /sell/{seller_id}/costs                      figures admin | admin
POST /sell/{seller_id}/costs                     managers admin | admin
POST /sell/{seller_id}/costs/file                managers admin | admin
GET /sell/{seller_id}/vouchers                   managers admin | admin
POST /sell/{seller_id}/vouchers                  managers admin | admin
POST /sell/{seller_id}/vouchers/{voucher_id}/end managers admin | admin
GET /sell/{seller_id}/settings                   managers admin | admin
POST /sell/{seller_id}/settings/profile          managers admin | admin
POST /sell/{seller_id}/settings/invitations      managers admin | admin
POST /sell/{seller_id}/settings/invitations/{invitation_id}/withdrawal  managers admin | admin
POST /sell/{seller_id}/settings/staff/{user_id}/role     managers admin | admin
POST /sell/{seller_id}/settings/staff/{user_id}/removal  managers admin | admin
POST /sell/{seller_id}/settings/keys             managers admin | admin
POST /sell/{seller_id}/settings/keys/{key_id}/revocation managers admin | admin

GET /ops                                         admin platform
GET /ops/events                                  admin platform
GET /admin                                       admin platform
GET /admin/find                                  admin platform
GET /admin/audits                                admin platform
GET /admin/audits/{audit_id}                     admin platform
GET /admin/limits                                admin platform
GET /admin/dead-letters                          admin platform
GET /admin/dead-letters/{topic}                  admin platform
POST /admin/dead-letters/{topic}/replay          admin platform
POST /admin/dead-letters/{topic}/discard         admin platform
GET /admin/experiments                           admin platform
POST /admin/experiments                          admin platform
GET /admin/experiments/{name}                    admin platform
POST /admin/experiments/{name}/start             admin platform
POST /admin/experiments/{name}/stop              admin platform
POST /admin/experiments/{name}/arms/{arm}/stop   admin platform
GET /admin/trainings                             admin platform
GET /admin/trainings/{training_id}               admin platform
POST /admin/trainings/{training_id}/rollback     admin platform
GET /admin/commission                            admin platform
POST /admin/commission                           admin platform
GET /admin/recommendations                       admin platform
GET /admin/recommendation-health                 admin platform
POST /admin/recommendations                      admin platform
POST /admin/recommendations/preview              admin platform
POST /admin/recommendations/end                  admin platform
GET /admin/settings                              admin platform
GET /admin/settings/{name}                       admin platform
POST /admin/settings/{name}                      admin platform
POST /admin/settings/{name}/rollback             admin platform
GET /admin/people                                admin platform
GET /admin/people/{user_id}                      admin platform
POST /admin/people/{user_id}/role                admin platform
POST /admin/people/{user_id}/suspension          admin platform
POST /admin/people/{user_id}/reinstatement       admin platform
GET /admin/sellers                               admin platform
GET /admin/sellers/find                          admin platform
GET /admin/sellers/{seller_id}                   admin platform | admin platform
POST /admin/sellers/{seller_id}/suspension       admin platform | admin platform
POST /admin/sellers/{seller_id}/reinstatement    admin platform | admin platform
POST /admin/sellers/applications/{application_id}/approval  admin platform
POST /admin/sellers/applications/{application_id}/refusal   admin platform
"""


def expected(table: str = TABLE) -> dict[str, tuple[frozenset[str], frozenset[str] | None]]:
    """Return route → the principals that may use it, and those that may with the ids of somebody else."""
    found = {}
    for line in filter(None, table.splitlines()):
        method, path, *groups = line.split()
        own, _, foreign = " ".join(groups).partition("|")
        found[f"{method} {path}"] = (_members(own), _members(foreign) if "|" in groups else None)
    return found


def _members(groups: str) -> frozenset[str]:
    return frozenset().union(*(GROUPS.get(name, frozenset({name})) for name in groups.split()))
