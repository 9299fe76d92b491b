"""Where everything of a one-machine installation is: files, ports, and what is brought along instead of started."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime.settings import KeepingSettings

ParameterValue = str | int | float | bool
Port = Annotated[int, Field(ge=1, le=65535)]
SERVICES: Final = ("intake", "classifier", "escalator", "notifier", "console")
_CHECKOUT: Final = Path(__file__).resolve().parents[2]


class Layout(KeepingSettings, BaseSettings):
    """Settings of `fenghuo up` and `fenghuo demo`; every one is an environment variable with the prefix FENGHUO_.

    `kafka` and `database_url` (an administrator's address) point at real ones; absent, embedded ones are started.
    """

    model_config = SettingsConfigDict(env_prefix="FENGHUO_", extra="ignore", hide_input_in_errors=True)

    home: Path = Path(".fenghuo")
    deploy_dir: Path = _CHECKOUT / "deploy"
    console_port: Port = 8600
    intake_port: Port = 8601
    classifier_port: Port = 8602
    escalator_port: Port = 8603
    notifier_port: Port = 8604
    postgres_port: Port = 8605
    broker_port: Port = 8606
    sink_smtp_port: Port = 8607
    sink_http_port: Port = 8608
    kafka: str | None = None
    kafka_topic_prefix: str = ""
    database_url: SecretStr | None = None
    organisation: str = "demo"
    log_level: str = "INFO"
    plan_overrides: Annotated[
        dict[str, dict[str, ParameterValue]], Field(description="Parameter values by plan, as JSON")
    ] = {}

    @property
    def plans_dir(self) -> Path:
        return self.deploy_dir / "plans"

    @property
    def calendars_dir(self) -> Path:
        return self.deploy_dir / "calendars"

    @property
    def roster_file(self) -> Path:
        return self.deploy_dir / "rosters" / "demo.yaml"

    @property
    def credentials_file(self) -> Path:
        """What the command line reads to find and enter this installation."""
        return self.home / "credentials.json"

    def port_of(self, service: str) -> int:
        ports = {
            "console": self.console_port,
            "intake": self.intake_port,
            "classifier": self.classifier_port,
            "escalator": self.escalator_port,
            "notifier": self.notifier_port,
        }
        return ports[service]

    def url_of(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port_of(service)}"

    @property
    def processes_file(self) -> Path:
        """Name and process id of everything running, for operators and tests."""
        return self.home / "processes.json"

    @property
    def sink_url(self) -> str:
        return f"http://127.0.0.1:{self.sink_http_port}"

    def log_file(self, name: str) -> Path:
        return self.home.absolute() / "logs" / f"{name}.log"
