"""The settings of the platform. Each process's `main()` reads them once and passes them on."""

from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote, urljoin
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from common.errors import UserError
from common.postgres_roles import ADMIN, role_name, role_password

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: the folder that contains `./souk`."""

LOOPBACK = "127.0.0.1"

REGISTRY_USER = "souk"
"""The one user of the bundled schema registry."""

Part = Literal[
    "kafka", "kafka_controller", "registry", "flink", "flink_rpc",
    "flink_blob", "clickhouse", "postgres", "redis", "serving", "commerce", "jobs", "simulator",
    "rollups", "training", "audit", "seller_sql", "search", "prometheus", "alertmanager", "zipkin",
]  # fmt: skip

PORTS: dict[Part, int] = {
    "kafka": 9092,
    "kafka_controller": 9093,
    "registry": 8085,
    "flink": 8081,
    "flink_rpc": 6123,
    "flink_blob": 6124,
    "clickhouse": 8123,
    "postgres": 5432,
    "redis": 6379,
    "serving": 8000,
    "commerce": 8010,
    "jobs": 8020,
    "simulator": 8021,
    "rollups": 8022,
    "training": 8023,
    "audit": 8024,
    "seller_sql": 8025,
    "search": 8026,
    "prometheus": 9090,
    "alertmanager": 9094,
    "zipkin": 9411,
}
"""The port of each bundled part, before `port_offset` is added."""


REMOVED = {"real_time", "clickhouse_seller_user", "clickhouse_seller_password"}
"""Settings of earlier versions without an effect today. `souk.toml` and `secrets.toml` may have them."""


class _SoukToml(TomlConfigSettingsSource):
    """Reads a file without the settings that were removed."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name not in REMOVED}


class Settings(BaseSettings):
    """The platform's settings.

    Sources, highest priority first: environment (`SOUK_*`), `souk.toml`, `secrets.toml`, defaults. If a
    part's URL is empty, the part is started on this machine at `port(part)`, from PATH or the bundled binary.
    """

    model_config = SettingsConfigDict(env_prefix="SOUK_", extra="forbid", frozen=True)

    home: Path = Field(
        default=ROOT / ".souk", description="The directory of all state: data, logs, passwords."
    )
    install: Path = Field(
        default=ROOT / ".venv",
        description="The directory of what `./souk` installs: Python packages, programs, jars, browser "
        "libraries. It can be set in the environment only.",
    )
    listen_host: str = Field(
        default=LOOPBACK,
        description="Address on which the platform's own servers listen: 0.0.0.0 in a container.",
    )
    port_offset: int = Field(default=0, ge=0, le=50_000, description="Added to every port of a bundled part.")

    kafka_bootstrap: str = Field(default="", description="Addresses of Kafka's brokers: host:port,host:port.")
    registry_url: str = Field(
        default="",
        description="Base URL of a Confluent-compatible schema registry; may contain user:password@.",
    )
    registry_password: SecretStr = Field(
        default=SecretStr(""), description="Password of the user `souk` of the bundled schema registry."
    )
    flink_url: str = Field(default="", description="Base URL of the REST API of a Flink session cluster.")
    clickhouse_url: str = Field(default="", description="Base URL of ClickHouse's HTTP interface.")
    postgres_url: str = Field(
        default="",
        description="Address of PostgreSQL: postgresql://user:password@host:port/database. All services then "
        "use this one role (docs/decisions/postgres-roles.md).",
    )
    redis_url: str = Field(default="", description="Address of Redis: redis://:password@host:port/db.")
    serving_url: str = Field(default="", description="Base URL of the API and the pages.")
    public_url: str = Field(
        default="",
        description="Base URL for people, as in mails and links of pages; by default that of the API.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses of the proxies in front of the API whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` say where a request comes from: 10.0.0.5,10.0.0.6.",
    )
    commerce_url: str = Field(default="", description="Base URL of the commerce services.")
    seller_sql_url: str = Field(
        default="", description="Base URL of the service that runs the queries of sellers."
    )
    service_urls: dict[str, str] = Field(
        default={},
        description="Base URLs of commerce services that run elsewhere, by service: "
        '{"orders": "http://a:8010,http://b:8010"}. A host name may have several addresses.',
    )
    service_urls_file: Path | None = Field(
        default=None,
        description="A JSON file with the content of `service_urls`, which it replaces. It is read again "
        "whenever it changes, without a restart (docs/health.md).",
    )
    drain_s: float = Field(
        default=1.0,
        ge=0,
        le=300,
        description="Seconds in which a stopping server still accepts connections while `/ready` is 503. "
        "Make it longer than a load balancer needs to see that (docs/health.md).",
    )
    stop_timeout_s: float = Field(
        default=10.0,
        ge=1,
        le=600,
        description="Seconds that requests may take to end after `drain_s`, and messages after that.",
    )

    internal_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The secret that the platform's processes share. The keys that sign who sends a request "
        "derive from it.",
    )
    webhooks_to_internal_hosts: bool = Field(
        default=False,
        description="Whether webhooks of alerts may use http and go to hosts of the own network. For "
        "development only.",
    )
    signing_key_days: int = Field(
        default=30, ge=1, le=365, description="Days in which a key signs access tokens before the next one."
    )
    postgres_admin_password: SecretStr = Field(
        default=SecretStr(""), description="Password of the bundled PostgreSQL's superuser `souk`."
    )
    postgres_role_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The secret from which the passwords of the services' PostgreSQL roles derive "
        "(docs/decisions/postgres-roles.md).",
    )

    demo: bool | None = Field(
        default=None,
        description="Whether demo mode is on. Without it, the file `demo_mode` in `home` says so, which "
        "`./souk demo` and `./souk replay` create.",
    )

    redis_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password of the bundled Redis. That of a Redis of your own is in `redis_url`.",
    )

    clickhouse_database: str = Field(
        default="souk", description="ClickHouse's database of events and metrics."
    )
    clickhouse_admin_user: str = Field(default="admin", description="ClickHouse's administrator.")
    clickhouse_admin_password: SecretStr = Field(
        default=SecretStr(""), description="Password of `clickhouse_admin_user`."
    )
    clickhouse_analyst_user: str = Field(
        default="analyst",
        description="ClickHouse's read-only user for analysts, `./souk sql` and the dashboards.",
    )
    clickhouse_analyst_password: SecretStr = Field(
        default=SecretStr(""), description="Password of `clickhouse_analyst_user`."
    )
    clickhouse_reader_user: str = Field(
        default="reader",
        description="A user of ClickHouse with the analyst's rights. Without a password, it may connect in "
        "demo mode only.",
    )
    clickhouse_reader_password: SecretStr = Field(
        default=SecretStr(""), description="Password of `clickhouse_reader_user`."
    )
    clickhouse_serving_user: str = Field(
        default="serving",
        description="ClickHouse's user of the API. Its queries are not queued behind those of analysts.",
    )
    clickhouse_serving_password: SecretStr = Field(
        default=SecretStr(""), description="Password of `clickhouse_serving_user`."
    )
    clickhouse_readable_databases: str = Field(
        default="",
        description="Further databases that read-only users of the bundled ClickHouse may read: a,b. "
        "`*` stands for every database without internal tables.",
    )
    clickhouse_hosts: str = Field(
        default="",
        description="Host names besides loopback that the bundled ClickHouse accepts: a.example,b.example.",
    )

    pictures_folder: Path | None = Field(
        default=None,
        description="The folder of the pictures of products, which every process of the products service "
        "must see; by default `pictures` in `home`.",
    )
    pictures_s3_bucket: str = Field(
        default="", description="Bucket of S3 in which the pictures are instead of in the folder."
    )
    pictures_s3_url: str = Field(
        default="",
        description="Base URL of a server with the interface of S3; by default that of Amazon.",
    )
    pictures_s3_region: str = Field(default="us-east-1", description="Region of `pictures_s3_bucket`.")
    pictures_s3_access_key: str = Field(
        default="",
        description="Access key of `pictures_s3_bucket`; by default that of the machine, as Amazon's tools "
        "find it.",
    )
    pictures_s3_secret_key: SecretStr = Field(
        default=SecretStr(""), description="Secret key of `pictures_s3_access_key`."
    )
    pictures_from_internal_hosts: bool = Field(
        default=False,
        description="Whether pictures are downloaded from hosts of the own network, too. For development "
        "only.",
    )

    shop_timezone: str = Field(
        default="America/Sao_Paulo",
        description="IANA time zone in which the shop's days, weeks and months end.",
    )
    shop_currency: str = Field(
        default="BRL", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the shop's currency."
    )
    shop_locale: str = Field(
        default="en",
        description="The shop's language, and the format of numbers, money and dates: `pt_BR`, `en_GB`. "
        "Pages are in English or Portuguese: in the language that the reader chose, else that of the "
        "browser, else the shop's.",
    )

    payment_decline_share: float = Field(
        default=0.0, ge=0, le=1, description="Share of payments that the simulated provider declines."
    )

    idempotency_key_days: int = Field(
        default=30, ge=1, le=3650, description="Days in which a checkout can be retried with its key."
    )
    inbox_days: int = Field(
        default=90,
        ge=14,
        le=3650,
        description="Days for which a service stores ids of handled messages. Kafka stores offsets for 7.",
    )

    restock_lead_days: int = Field(
        default=7, ge=1, le=99, description="Days that a delivery to a seller takes; no event tells it."
    )

    trace_endpoint: str = Field(
        default="",
        description="URL to which processes send traces, in OTLP over HTTP: http://collector:4318/v1/traces "
        "(docs/traces.md).",
    )
    trace_sampling: float = Field(
        default=0.05, ge=0, le=1, description="Share of requests, such as checkouts, whose trace is recorded."
    )
    zipkin: bool = Field(
        default=False,
        description="Whether traces are sent to Zipkin, if there is no `trace_endpoint`: to `zipkin_url`, or "
        "to the bundled one, which `./souk up --with zipkin` starts.",
    )
    zipkin_url: str = Field(default="", description="Base URL of a Zipkin server.")
    zipkin_public_url: str = Field(
        default="", description="Base URL of Zipkin for browsers; by default that for the processes."
    )
    metrics_urls: dict[str, str] = Field(
        default={},
        description="Where processes of the platform that run elsewhere export metrics, by part, for the "
        'page `/ops`: {"jobs": "http://jobs:8020/metrics"}.',
    )
    prometheus_url: str = Field(
        default="",
        description="Base URL of a Prometheus server, which the page `/ops` asks for alerts.",
    )
    prometheus_public_url: str = Field(
        default="", description="Base URL of Prometheus for browsers; by default that for the API."
    )
    grafana_url: str = Field(default="", description="Base URL of Grafana, for links of the page `/ops`.")
    runbooks_url: str = Field(
        default="",
        description="Base URL of the runbooks, for links of `/ops`: that of an alert is URL/NAME.md.",
    )

    alert_webhook_url: str = Field(
        default="",
        pattern=r"""^(https?://[^\s"\\]+)?$""",
        description="URL to which Alertmanager posts the platform's alerts, as JSON (docs/monitoring.md). "
        "Without it, alerts are only shown, on `/ops` and by Alertmanager.",
    )

    log_limit_mb: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="Size in MB at which the log of a part is rotated. The two files before are kept.",
    )
    job_parallelism: int = Field(default=1, ge=1, le=64, description="Parallelism of each Flink job.")
    redis_max_memory_mb: int = Field(
        default=512,
        ge=64,
        description="Memory limit of the bundled Redis in MB. A full Redis refuses writes. A changed job is "
        "built only while less than 45 % is in use.",
    )
    training_enabled: bool = Field(
        default=True, description="Whether the platform trains the recommender by itself."
    )
    training_hour: int = Field(
        default=3, ge=0, le=23, description="The hour in the shop's time zone at which training begins."
    )
    training_budget_s: float = Field(
        default=120, ge=1, le=86_400, description="Seconds of CPU time in which a training tunes its models."
    )
    training_memory_mb: int = Field(
        default=1_500,
        ge=256,
        description="Memory limit of a training in MB. A model that needs more is left out. If no model is "
        "left, the training fails.",
    )
    training_max_events: int = Field(
        default=1_000_000, ge=1_000, description="Number of newest events that a training learns from."
    )
    training_drift_psi: float = Field(
        default=0.2,
        gt=0,
        description="The population stability index of what is viewed since the newest training, compared "
        "with before, from which a training begins before the night (docs/evaluation.md).",
    )
    training_drift_check_s: float = Field(
        default=600, ge=10, description="Seconds from one comparison of what is viewed to the next."
    )
    training_drift_pause_h: float = Field(
        default=6, ge=0.5, le=168, description="Hours after a training in which no drift starts another."
    )
    audit_enabled: bool = Field(default=True, description="Whether the platform audits itself every night.")
    audit_hour: int = Field(
        default=4, ge=0, le=23, description="The hour in the shop's time zone at which the audit begins."
    )
    audit_memory_mb: int = Field(
        default=2_500,
        ge=256,
        description="Limit of the memory in MB that a nightly audit may allocate; about two thirds are in "
        "use. If it is not enough, the audit fails.",
    )
    serving_processes: int = Field(
        default=2, ge=1, le=8, description="Processes that serve the API and the pages; 95 MB each."
    )

    @field_validator("home", "install", "pictures_folder")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().resolve() if path else None

    @field_validator("service_urls_file")
    @classmethod
    def _absolute_link(cls, path: Path | None) -> Path | None:
        """Return an absolute path. A link stays one, because a change may be another target."""
        return path.expanduser().absolute() if path else None

    @field_validator("shop_timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except Exception as error:
            raise ValueError(f"{name!r} is not an IANA time zone such as America/Sao_Paulo") from error
        return name

    @field_validator("shop_locale")
    @classmethod
    def _known_locale(cls, name: str) -> str:
        try:
            Locale.parse(name)
        except (ValueError, UnknownLocaleError) as error:
            raise ValueError(f"{name!r} is not a locale such as en, en_GB or pt_BR") from error
        return name

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add `souk.toml` of the checkout with a lower priority than the environment."""
        return init_settings, env_settings, _SoukToml(settings_cls, ROOT / "souk.toml")

    @classmethod
    def load(cls) -> Self:
        """Read the settings, with the passwords that the first `./souk up` wrote to `secrets.toml`.

        Raises:
            UserError: a setting has an invalid value. The message names it.
        """
        try:
            settings = cls()
            secrets = _SoukToml(cls, settings.home / "secrets.toml")()
            unset = {name: v for name, v in secrets.items() if name not in settings.model_fields_set}
            return cls(**unset) if unset else settings
        except ValidationError as error:
            first = error.errors()[0]
            name = "SOUK_" + "_".join(str(part) for part in first["loc"]).upper()
            raise UserError(f"setting {name}: {first['msg']} (got {first['input']!r})") from error

    def port(self, part: Part) -> int:
        """Return the port on which a bundled part listens (loopback only)."""
        return PORTS[part] + self.port_offset

    @property
    def kafka(self) -> str:
        """Bootstrap servers: `host:port[,host:port]`."""
        return self.kafka_bootstrap or f"{LOOPBACK}:{self.port('kafka')}"

    @property
    def registry(self) -> str:
        """Base URL of the registry's Confluent-compatible API, without a trailing slash.

        It contains the user and the password; `common.urls.redact_password` removes them for messages.
        """
        if self.registry_url:
            return self.registry_url.rstrip("/")
        password = self.registry_password.get_secret_value()
        user = f"{REGISTRY_USER}:{quote(password, safe='')}@" if password else ""
        return f"http://{user}{LOOPBACK}:{self.port('registry')}/apis/ccompat/v7"

    @property
    def flink(self) -> str:
        """URL of Flink's REST API, without a trailing slash."""
        return self.flink_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('flink')}"

    @property
    def clickhouse(self) -> str:
        """URL of ClickHouse's HTTP interface, without a trailing slash."""
        return self.clickhouse_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('clickhouse')}"

    @property
    def postgres(self) -> str:
        """PostgreSQL connection URL of the administrator, who creates roles and migrates schemas."""
        return self.postgres_url or self._postgres_url(ADMIN, self.postgres_admin_password.get_secret_value())

    def postgres_as(self, schema: str) -> str:
        """PostgreSQL connection URL of the role that owns a schema, or of `READER`.

        An external server (`postgres_url`) has one role for all schemas.
        """
        role = role_name(schema)
        password = role_password(self.postgres_role_secret.get_secret_value(), role)
        return self.postgres_url or self._postgres_url(role, password)

    def _postgres_url(self, role: str, password: str) -> str:
        user = f"{quote(role, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{user}@{LOOPBACK}:{self.port('postgres')}/souk"

    @property
    def picture_folder(self) -> Path:
        """The folder of the pictures of products, unless they are in S3."""
        return self.pictures_folder or self.home / "pictures"

    @property
    def redis(self) -> str:
        """Redis connection URL.

        It contains the password; `common.urls.redact_password` removes it for messages.
        """
        if self.redis_url:
            return self.redis_url
        password = self.redis_password.get_secret_value()
        user = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{user}{LOOPBACK}:{self.port('redis')}/0"

    @property
    def serving(self) -> str:
        """Base URL of the API and the pages, without a trailing slash."""
        return self.serving_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('serving')}"

    @property
    def public(self) -> str:
        """Base URL under which people open the API and the pages, without a trailing slash."""
        return self.public_url.rstrip("/") or self.serving

    @property
    def commerce(self) -> str:
        """Base URL of the commerce services, without a trailing slash."""
        return self.commerce_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('commerce')}"

    @property
    def seller_sql(self) -> str:
        """Base URL of the service that runs the queries of sellers, without a trailing slash."""
        return self.seller_sql_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('seller_sql')}"

    @property
    def zipkin_base(self) -> str:
        """Base URL of Zipkin, without a trailing slash."""
        return self.zipkin_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('zipkin')}"

    @property
    def zipkin_public(self) -> str:
        """Base URL under which browsers open Zipkin, without a trailing slash."""
        return self.zipkin_public_url.rstrip("/") or self.zipkin_base

    @property
    def prometheus(self) -> str:
        """Base URL of Prometheus, without a trailing slash. It runs on demand, so it may not answer."""
        return self.prometheus_url.rstrip("/") or f"http://{LOOPBACK}:{self.port('prometheus')}"

    @property
    def prometheus_public(self) -> str:
        """Base URL under which browsers open Prometheus, without a trailing slash.

        It may contain a password; `common.urls.redact_password` removes it.
        """
        return self.prometheus_public_url.rstrip("/") or self.prometheus

    def metrics_of(self, part: Part) -> str:
        """Return the address at which a process of the platform exports its metrics."""
        base = {"serving": self.serving, "commerce": self.commerce, "clickhouse": self.clickhouse}.get(part)
        return self.metrics_urls.get(part) or f"{base or f'http://{LOOPBACK}:{self.port(part)}'}/metrics"

    def readiness_of(self, part: Part) -> str:
        """Return the address of `/ready` of a process of the platform, which is beside its metrics."""
        return urljoin(self.metrics_of(part), "ready")

    @property
    def timezone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.shop_timezone)
