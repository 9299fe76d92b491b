"""Other systems' payloads as reports: one pure mapping a kind."""

from collections.abc import Callable, Mapping
from typing import Final

from services.intake.domain.hooks import (
    alertmanager,
    chatwoot,
    generic,
    grafana,
    kannel,
    pagerduty,
    sns,
    twilio,
    zabbix,
    zammad,
)
from services.intake.domain.hooks.values import Mapped, Payload

MAPPINGS: Final[Mapping[str, Callable[[Payload], tuple[Mapped, ...]]]] = {
    "alertmanager": alertmanager.map_payload,
    "chatwoot": chatwoot.map_payload,
    "generic": generic.map_payload,
    "grafana": grafana.map_payload,
    "kannel": kannel.map_payload,
    "pagerduty": pagerduty.map_payload,
    "sns": sns.map_payload,
    "twilio": twilio.map_payload,
    "zabbix": zabbix.map_payload,
    "zammad": zammad.map_payload,
}
