"""Makes a PostgreSQL server ready for the line, once, from the environment: `python -m services.provision`.

For containers and servers, where an operator hands the secrets in; `fenghuo up` makes its own. Roles, schemas and
tables of the five services, the first API keys and the first user. Safe to run again: it brings up to date what is
there and loses nothing. Refuses values nobody has changed.
"""

import asyncio
import os
import sys
from typing import Annotated, Final

import asyncpg
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.line.layout import SERVICES, Layout
from services.line.provisioning import prepare_database
from services.line.secret_values import SecretValues
from shared.access.api_keys import PresentedKey
from shared.db.provision import ProvisionError

_UNCHANGED: Final = "change-me"
_SHORTEST: Final = 16


def _changed(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if _UNCHANGED in text.lower():
        raise ValueError("still says change-me; make a value of your own")
    if len(text) < _SHORTEST:
        raise ValueError(f"must have at least {_SHORTEST} characters")
    return value


def _key(value: SecretStr) -> SecretStr:
    if PresentedKey.parse(value.get_secret_value()) is None:
        raise ValueError("must look like fh_<8 hex digits>_<43 letters, digits, - or _>")
    return value


Secret = Annotated[SecretStr, AfterValidator(_changed)]
Key = Annotated[SecretStr, AfterValidator(_changed), AfterValidator(_key)]


class ProvisionSettings(BaseSettings):
    """What an operator hands in, from the environment with the prefix FENGHUO_."""

    model_config = SettingsConfigDict(env_prefix="FENGHUO_", extra="ignore", hide_input_in_errors=True)

    admin_database_url: Annotated[Secret, Field(description="An administrator's postgresql:// address")]
    intake_database_password: Secret
    classifier_database_password: Secret
    escalator_database_password: Secret
    notifier_database_password: Secret
    console_database_password: Secret
    key_pepper: Secret
    operator_key: Annotated[Key, Field(description="API key with every scope")]
    intake_key: Annotated[Key, Field(description="API key by which the console posts to intake")]
    admin_password: Annotated[Secret, Field(description="Password of the console's first user")]

    def secret_values(self) -> SecretValues:
        """The part of an installation's secrets that provisioning stores; the others stay with their services."""
        passwords = {name: getattr(self, f"{name}_database_password").get_secret_value() for name in SERVICES}
        return SecretValues(
            database_passwords=passwords,
            key_pepper=self.key_pepper.get_secret_value(),
            operator_key=self.operator_key.get_secret_value(),
            console_key=self.intake_key.get_secret_value(),
            user_password=self.admin_password.get_secret_value(),
            link_secret="",
            identity_key="",
            session_secret="",
            sms_password="",
        )


def main() -> int:
    """0 when the server is ready; 2 for settings to correct, 1 for a server that cannot be used, with the reason."""
    try:
        settings = ProvisionSettings()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            sys.stderr.write(f"FENGHUO_{str(problem['loc'][0]).upper()}: {problem['msg']}\n")
        return 2
    # A service's own address in this environment must not be taken for the administrator's.
    os.environ.pop("FENGHUO_DATABASE_URL", None)
    try:
        asyncio.run(
            prepare_database(settings.admin_database_url.get_secret_value(), Layout(), settings.secret_values(), _say)
        )
    except (ProvisionError, OSError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"The database server cannot be prepared: {error}\n")
        return 1
    _say("the database server is ready")
    return 0


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")


if __name__ == "__main__":
    raise SystemExit(main())
