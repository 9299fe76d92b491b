"""Settings of the notifier. Read from the environment with the prefix FENGHUO_."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from services.notifier.domain.silence_file import WrittenQuietHours
from shared.runtime.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    """What is sent by which provider. A channel without an address is not used; at least one should have one."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8604
    key_pepper: SecretStr
    link_secret: SecretStr
    roster: Path = Path("deploy/rosters/demo.yaml")
    roster_reload_s: Annotated[float, Field(gt=0)] = 2.0
    roster_check_s: Annotated[float, Field(gt=0, description="How often gaps ahead are looked for")] = 300.0
    roster_check_days: Annotated[int, Field(ge=1, le=92)] = 14
    handover_check_s: Annotated[float, Field(gt=0)] = 20.0
    live_test_every_days: Annotated[
        int, Field(ge=0, le=366, description="Everybody is tested at ten in the morning of such days; 0: never")
    ] = 0
    live_test_check_s: Annotated[float, Field(gt=0)] = 60.0
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] = "http://127.0.0.1:8601"
    receipt_url: Annotated[str | None, Field(pattern=r"^https?://[^\s]+$")] = None

    smtp_url: SecretStr | None = None
    mail_from: str = "烽火 Fenghuo <fenghuo@example.org>"
    sms_url: SecretStr | None = None
    sms_from: str = "Fenghuo"
    im_webhook: SecretStr | None = None
    voice_webhook: SecretStr | None = None

    providers: Annotated[Path | None, Field(description="File of providers, in order of preference")] = None
    intake_url: Annotated[
        str | None, Field(pattern=r"^https?://[^\s]+$", description="Where text messages of people are handed on")
    ] = None
    intake_key: Annotated[SecretStr | None, Field(description="With the scope for receipts")] = None
    address_key: Annotated[
        SecretStr | None,
        Field(description="Of intake, with the scope for addresses: complainants who asked for it are told by itself"),
    ] = None
    complainant_check_s: Annotated[float, Field(gt=0)] = 2.0
    providers_weighed_s: Annotated[float, Field(gt=0)] = 5.0
    circuit_failures: Annotated[int, Field(ge=1, description="In a row, before a provider is left alone")] = 5
    circuit_pause_s: Annotated[float, Field(gt=0)] = 10.0

    delivery_places: Annotated[int, Field(ge=1, le=500, description="Open calls a channel")] = 100
    smtp_connections: Annotated[int, Field(ge=1, le=500, description="Open calls by mail")] = 20
    smtp_per_second: Annotated[float, Field(ge=0, description="0: no limit")] = 0
    sms_per_second: Annotated[float, Field(ge=0, description="0: no limit")] = 0
    sms_segments: Annotated[int, Field(ge=1, le=20)] = 6
    provider_timeout_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    receipt_within_s: Annotated[float, Field(gt=0)] = 120.0
    retry_first_wait_s: Annotated[float, Field(gt=0)] = 1.0
    retry_longest_wait_s: Annotated[float, Field(gt=0)] = 60.0
    tries_a_route: Annotated[int, Field(ge=1, le=10)] = 2
    give_up_after_s: Annotated[float, Field(gt=0)] = 1800.0
    outage_s: Annotated[
        float,
        Field(
            ge=0,
            description="So long a fault of every way to a person may last before the message counts as undelivered, "
            "at most a third of the time until the next tier",
        ),
    ] = 45.0
    throttle_messages: Annotated[
        int, Field(ge=0, description="To one person by one channel within the window; more come in one. 0: no limit")
    ] = 20
    throttle_window_s: Annotated[float, Field(gt=0)] = 60.0
    late_after_s: Annotated[float, Field(gt=0, description="After this a message says how late it is")] = 120.0
    quiet_hours: Annotated[
        tuple[WrittenQuietHours, ...],
        Field(description="Hours in which messages below the highest level wait, as JSON"),
    ] = ()
    templates: Annotated[Path | None, Field(description="Folder of message templates of one's own")] = None
    silences_reload_s: Annotated[float, Field(gt=0)] = 2.0
    link_valid_s: Annotated[int, Field(gt=0)] = 86_400
