"""The whole platform at a glance: what `/ops` and `GET /v1/ops/overview` show."""
