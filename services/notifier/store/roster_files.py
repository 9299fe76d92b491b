"""Rosters on disk: one file, or a folder with one file for each organisation."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.roster_problems import RosterError
from services.notifier.domain.roster_text import MAX_BYTES, parse_roster
from shared.runtime.logging import get_logger
from shared.runtime.metrics import ROSTER_BROKEN, ROSTER_PEOPLE

_log = get_logger(__name__)


class RosterFiles:
    """The rosters in force. A broken file never replaces a good one."""

    def __init__(self, path: Path, calendars: Mapping[str, WorkingDays] | None = None) -> None:
        self._path = path
        self._calendars = calendars or {}
        self._digest: str | None = None
        self._rosters: Mapping[str, Roster] = {}
        self.texts: Mapping[str, str] = {}
        self._problem: str | None = None

    def load(self) -> None:
        """Read for the first time. Raises RosterError: a service does not start with a roster it cannot read."""
        texts = self._read()
        self._rosters, self.texts = _parsed(texts, self._calendars)
        self._took_over(texts)

    def reload(self) -> bool:
        """Read again if the content changed; True when new rosters are in force.

        A broken file keeps the old rosters, is logged as an error once, and shows in `probe` until it is repaired.
        """
        try:
            texts = self._read()
            if _digest(texts) == self._digest:
                if self._problem is not None:
                    self._took_over(texts)
                return False
            rosters, by_org = _parsed(texts, self._calendars)
        except RosterError as error:
            if self._problem != str(error):
                _log.error("roster.refused", problems=list(error.problems[:20]))
            self._problem = str(error)
            ROSTER_BROKEN.set(1)
            return False
        self._rosters, self.texts = rosters, by_org
        self._took_over(texts)
        return True

    def of(self, org: str) -> Roster | None:
        """The organisation's roster."""
        return self._rosters.get(org)

    async def probe(self) -> str | None:
        """None while what is on disk is in force; else what is wrong with it."""
        return f"the old roster stays in force: {self._problem[:500]}" if self._problem else None

    def _took_over(self, texts: Mapping[str, str]) -> None:
        self._digest = _digest(texts)
        self._problem = None
        ROSTER_BROKEN.set(0)
        for org, roster in self._rosters.items():
            ROSTER_PEOPLE.labels(org).set(len(roster.people))
            _log.info("roster.in_force", org=org, people=len(roster.people), sha256=roster.sha256)

    def _read(self) -> dict[str, str]:
        files = sorted(self._path.glob("*.yaml")) if self._path.is_dir() else [self._path]
        if not files:
            raise RosterError([f"{self._path}:1: there is no *.yaml in this folder"])
        return {str(file): _text(file) for file in files}


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise RosterError([f"{file}:1: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise RosterError([f"{file}:1: is not UTF-8 (byte {error.start})"]) from error


def _parsed(texts: Mapping[str, str], calendars: Mapping[str, WorkingDays]) -> tuple[dict[str, Roster], dict[str, str]]:
    """Rosters and their texts by organisation."""
    rosters: dict[str, Roster] = {}
    by_org: dict[str, str] = {}
    for file, text in texts.items():
        roster = parse_roster(text, file=file, calendars=calendars)
        if roster.organisation in rosters:
            raise RosterError([f"{file}:1: organisation: '{roster.organisation}' has a roster already"])
        rosters[roster.organisation] = roster
        by_org[roster.organisation] = text
    return rosters, by_org


def _digest(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for file, text in texts.items():
        digest.update(f"{file}\x00{text}\x00".encode())
    return digest.hexdigest()
