"""What operators see: Grafana dashboards as Python over the queries of the API, and Prometheus' rules."""
