"""Which language the command line speaks, and its errors."""

import os
from contextvars import ContextVar
from typing import Final, Literal

Language = Literal["zh", "en"]
_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")


def language_of_environment() -> Language:
    """English where the locale says so; else Chinese."""
    chosen = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    return "en" if chosen.lower().startswith("en") else "zh"


_language: ContextVar[Language | None] = ContextVar("language", default=None)


def use_language(language: Language | None) -> None:
    """Speak this language from now on; None: what the environment says."""
    _language.set(language)


def language() -> Language:
    return _language.get() or language_of_environment()


def say(zh: str, en: str) -> str:
    """The sentence in the language spoken."""
    return zh if language() == "zh" else en


class CommandError(Exception):
    """One clear sentence for the person at the terminal, and the exit code."""

    def __init__(self, zh: str, en: str, code: int = 1) -> None:
        super().__init__(say(zh, en))
        self.code = code
