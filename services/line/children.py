"""The processes of a one-machine installation, ready to be supervised."""

import json
import sys
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from services.line.layout import SERVICES, Layout
from services.line.secret_values import SecretValues
from shared.embedded.broker import EmbeddedBroker
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import Child, Port
from shared.embedded.readiness import http_answers
from shared.embedded.sink.launch import ACCOUNT, sink_child

SHARED_BY_SERVICES: Final = (
    "httpx",
    "jinja2",
    "shared.access.bearer",
    "shared.access.key_store",
    "shared.kafka.consumer",
    "shared.kafka.producer",
    "shared.kafka.relay",
    "shared.plans.library",
    "shared.runtime.plans_in_force",
    "shared.runtime.process",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)
"""What takes the services longest to import."""
Overrides = Mapping[str, Mapping[str, str | int | float | bool]]


def postgres_of(layout: Layout) -> EmbeddedPostgres:
    return EmbeddedPostgres(layout.home / "postgres", layout.postgres_port, port_setting="FENGHUO_POSTGRES_PORT")


def broker_of(layout: Layout) -> EmbeddedBroker:
    return EmbeddedBroker(layout.broker_port, port_setting="FENGHUO_BROKER_PORT", log_file=layout.log_file("broker"))


def message_sink(layout: Layout, values: SecretValues) -> Child:
    """A mail server and an SMS gateway that keep what they get, to be read on the console's message page."""
    return sink_child(
        layout.sink_smtp_port,
        layout.sink_http_port,
        password=values.sms_password,
        reply_url=f"{layout.url_of('intake')}/v1/sms/kannel?from=%p&to=%P&text=%a&key={values.operator_key}",
        log_file=layout.log_file("sink"),
        smtp_setting="FENGHUO_SINK_SMTP_PORT",
        http_setting="FENGHUO_SINK_HTTP_PORT",
    )


def service_children(
    layout: Layout,
    values: SecretValues,
    urls: Mapping[str, str],
    overrides: Overrides,
    environment: Mapping[str, Mapping[str, str]],
) -> list[Child]:
    """The five services; each gets its own database role and only the secrets it needs, and its `environment`."""
    return [
        _service_child(service, layout, values, urls[service], overrides, environment.get(service, {}))
        for service in SERVICES
    ]


def kafka_environment(layout: Layout) -> dict[str, str]:
    """How the services reach Kafka: the embedded broker lacks an idempotent producer and true long polls."""
    if layout.kafka is not None:
        return {"FENGHUO_KAFKA": layout.kafka, "FENGHUO_KAFKA_TOPIC_PREFIX": layout.kafka_topic_prefix}
    return {
        "FENGHUO_KAFKA": f"127.0.0.1:{layout.broker_port}",
        "FENGHUO_KAFKA_IDEMPOTENCE": "false",
        "FENGHUO_KAFKA_LONG_POLL_MS": "16",
        "FENGHUO_KAFKA_SESSION_TIMEOUT_MS": "2000",
        "FENGHUO_KAFKA_PARTITIONS": "1",
    }


def _service_child(  # noqa: PLR0917  # everything a service is told
    service: str,
    layout: Layout,
    values: SecretValues,
    database_url: str,
    overrides: Overrides,
    environment: Mapping[str, str],
) -> Child:
    env = {
        "FENGHUO_PORT": str(layout.port_of(service)),
        "FENGHUO_DATABASE_URL": database_url,
        "FENGHUO_PLANS_DIR": str(layout.plans_dir),
        "FENGHUO_CALENDARS_DIR": str(layout.calendars_dir),
        "FENGHUO_PLANS_CHECKED": str(layout.home / "checked-plans"),
        "FENGHUO_PLAN_OVERRIDES": json.dumps(overrides),
        "FENGHUO_LOG_LEVEL": layout.log_level,
        "FENGHUO_KEY_PEPPER": values.key_pepper,
        "FENGHUO_LINK_SECRET": values.link_secret,
        "FENGHUO_PUBLIC_URL": layout.url_of("intake"),
        "FENGHUO_INTAKE_URL": layout.url_of("intake"),
        "FENGHUO_CONSOLE_URL": layout.url_of("console"),
        **kafka_environment(layout),
    }
    own: dict[str, dict[str, str]] = {
        "intake": {
            "FENGHUO_IDENTITY_KEY": values.identity_key,
            "FENGHUO_NOTIFIER_URL": layout.url_of("notifier"),
            "FENGHUO_NOTIFIER_KEY": values.console_key,
        },
        "notifier": {
            "FENGHUO_ADDRESS_KEY": values.console_key,
            "FENGHUO_ROSTER": str(layout.roster_file),
            "FENGHUO_SMTP_URL": f"smtp://127.0.0.1:{layout.sink_smtp_port}?tls=none",
            "FENGHUO_MAIL_FROM": "fenghuo@example.org",
            "FENGHUO_SMS_URL": (
                f"http://{ACCOUNT}:{quote(values.sms_password)}@127.0.0.1:{layout.sink_http_port}/cgi-bin/sendsms"
            ),
            "FENGHUO_SMS_FROM": "10690000",
        },
        "console": {
            "FENGHUO_SESSION_SECRET": values.session_secret,
            "FENGHUO_INTAKE_KEY": values.console_key,
            "FENGHUO_NOTIFIER_URL": layout.url_of("notifier"),
            "FENGHUO_ESCALATOR_URL": layout.url_of("escalator"),
            "FENGHUO_SINK_URL": layout.sink_url,
        },
    }
    return Child(
        name=service,
        argv=(sys.executable, "-m", f"services.{service}.main"),
        # Its doors are open: what comes before a consumer has joined its group waits on the topic.
        ready=lambda: http_answers(f"{layout.url_of(service)}/healthz"),
        env={**env, **own.get(service, {}), **environment},
        log_file=layout.log_file(service),
        ports=(Port(layout.port_of(service), f"FENGHUO_{service.upper()}_PORT"),),
        ready_within=60.0,
        stop_within=15.0,
        # A board may be a moment late, a message may not.
        gives_way=service == "console",
        preload=SHARED_BY_SERVICES,
    )
