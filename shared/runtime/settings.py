"""Settings every service has. Read from the environment with the prefix FENGHUO_; each service adds its own."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kafka.settings import KafkaSettings


class KeepingSettings(BaseSettings):
    """How long cases that are over are kept: nothing is erased by age until it is said here."""

    model_config = SettingsConfigDict(env_prefix="FENGHUO_", extra="ignore", hide_input_in_errors=True)

    keep_personal_data_days: Annotated[
        int | None, Field(ge=1, description="What was told of a case, by whom, and messages; absent: with the case")
    ] = None
    keep_cases_days: Annotated[
        int | None,
        Field(ge=45, description="What is left of a case: number, levels, times, who was told; absent: ever"),
    ] = None

    @field_validator("keep_personal_data_days", "keep_cases_days", mode="before")
    @classmethod
    def _nothing_said(cls, given: object) -> object:
        return None if isinstance(given, str) and not given.strip() else given

    @model_validator(mode="after")
    def _case_outlasts_its_words(self) -> Self:
        words, case = self.keep_personal_data_days, self.keep_cases_days
        if words is not None and case is not None and case < words:
            raise ValueError(f"FENGHUO_KEEP_CASES_DAYS {case} is less than FENGHUO_KEEP_PERSONAL_DATA_DAYS {words}")
        return self


class ServiceSettings(BaseSettings):
    """Common settings. A service's process gets its own FENGHUO_DATABASE_URL: a role that sees one schema only."""

    model_config = SettingsConfigDict(env_prefix="FENGHUO_", extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)]
    database_url: SecretStr
    database_pool: Annotated[int, Field(ge=2, le=100)] = 8
    kafka: str = "127.0.0.1:9092"
    kafka_idempotence: bool = True
    kafka_long_poll_ms: int = 200
    kafka_session_timeout_ms: int = 10_000
    kafka_topic_prefix: str = ""
    kafka_partitions: int = 6
    kafka_replication: int = 1
    log_level: str = "INFO"
    shutdown_grace_s: float = 10.0
    plans_dir: Path = Path("deploy/plans")
    plans_checked: Path | None = None  # where plans that passed every check are kept for the next start
    calendars_dir: Path = Path("deploy/calendars")
    plan_overrides: Annotated[
        dict[str, dict[str, str | int | float | bool]],
        Field(description="Parameter values by plan, as JSON: what an organisation sets without editing a pack"),
    ] = {}

    def kafka_settings(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.kafka,
            topic_prefix=self.kafka_topic_prefix,
            idempotence=self.kafka_idempotence,
            long_poll_ms=self.kafka_long_poll_ms,
            session_timeout_ms=self.kafka_session_timeout_ms,
            partitions=self.kafka_partitions,
            replication=self.kafka_replication,
        )
