"""The rosters in force: the last version of each, from the file or imported, with the changes made beside it."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.roster_building import build_roster, contacts_of
from services.notifier.domain.roster_changes import MadeChange, overlaid
from services.notifier.domain.roster_file import WrittenFile
from services.notifier.domain.roster_problems import RosterError
from services.notifier.domain.roster_text import MondayToFriday, read_roster
from services.notifier.domain.verification import fingerprint_of
from services.notifier.store import roster_records, verifications
from services.notifier.store.roster_files import RosterFiles
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.logging import get_logger
from shared.runtime.metrics import ROSTER_PEOPLE

_log = get_logger(__name__)
# Ended changes stay a while, so that a question about last week gets the answer of last week.
_REMEMBERED: Final = timedelta(days=35)


class RosterBook:
    """Answers from memory; `refresh` brings in what changed on disk or in the database, here or elsewhere.

    While the database is away, or before it answered, the file's roster is in force; nothing is known then of what was
    verified, and unverified addresses are used whatever the roster says.
    """

    def __init__(self, files: RosterFiles, database: Database, calendars: Mapping[str, WorkingDays]) -> None:
        self.calendars = calendars
        self._files = files
        self._database = database
        self._seen_on_disk: Mapping[str, str] = {}
        self._fingerprint: str | None = None
        self._bases: Mapping[str, WrittenFile] = {}
        self._understood: dict[tuple[str, int], WrittenFile] = {}
        self._in_force: Mapping[str, Roster] = {}

    def of(self, org: str) -> Roster | None:
        """The organisation's roster in force."""
        known = self._in_force.get(org)
        if known is not None:
            return known
        on_disk = self._files.of(org)
        return on_disk if on_disk is None or on_disk.pages_unverified else replace(on_disk, pages_unverified=True)

    def base(self, org: str) -> WrittenFile | None:
        """The roster without the changes beside it, as of the last refresh."""
        return self._bases.get(org)

    def calendar_of(self, org: str) -> WorkingDays:
        """The organisation's calendar of working days, Monday to Friday where it names none."""
        base = self._bases.get(org)
        return self.calendars[base.calendar] if base is not None and base.calendar is not None else MondayToFriday()

    def organisations(self) -> tuple[str, ...]:
        return tuple(sorted({*self._in_force, *self._files.texts}))

    async def refresh(self) -> bool:
        """Take over what is new; True when rosters changed. A broken file changes nothing and is logged."""
        await asyncio.to_thread(self._files.reload)
        async with self._database.transaction() as tx:
            await self._record_files(tx)
            versions = await roster_records.latest_versions(tx)
            changes = await roster_records.changes_in_force(tx, tx.now - _REMEMBERED)
            proven = await verifications.proven(tx)
        marks = [f"{one.org} {one.number}" for one in versions.values()] + [str(one.id) for one in changes]
        marks += [f"{org} {one}" for org in sorted(proven) for one in sorted(proven[org])]
        fingerprint = hashlib.sha256("\n".join(marks).encode()).hexdigest()
        if fingerprint == self._fingerprint:
            return False
        self._bases, self._in_force = await asyncio.to_thread(self._built, versions, changes, proven)
        await self._let_lapse()
        self._fingerprint = fingerprint
        for org, roster in self._in_force.items():
            ROSTER_PEOPLE.labels(org).set(len(roster.people))
        return True

    async def _record_files(self, tx: Tx) -> None:
        """What is new on disk becomes a version. A file that stood still never takes the place of an import."""
        new = {org: text for org, text in self._files.texts.items() if self._seen_on_disk.get(org) != text}
        if new:
            await roster_records.lock_versions(tx)
            known = await roster_records.latest_versions(tx, origin="file")
            for org, text in new.items():
                sha256 = hashlib.sha256(text.encode()).hexdigest()
                if org not in known or known[org].sha256 != sha256:
                    await roster_records.add_version(
                        tx, org, sha256=sha256, text=text, origin="file", made_by="file on disk"
                    )
        self._seen_on_disk = dict(self._files.texts)

    async def _let_lapse(self) -> None:
        """An address that left the roster has to be verified anew should it come back."""
        async with self._database.transaction() as tx:
            for org, base in self._bases.items():
                present = {
                    fingerprint_of(person.id, one.channel, one.to)
                    for person in base.people
                    for one in contacts_of(person)
                }
                await verifications.lapse(tx, org, present)

    def _built(
        self,
        versions: Mapping[str, roster_records.Version],
        changes: Sequence[MadeChange],
        proven: Mapping[str, frozenset[str]],
    ) -> tuple[dict[str, WrittenFile], dict[str, Roster]]:
        bases: dict[str, WrittenFile] = {}
        rosters: dict[str, Roster] = {}
        for org, version in versions.items():
            try:
                base = self._understand(version)
            except RosterError as error:
                _log.error("roster.version_refused", org=org, number=version.number, problems=list(error.problems[:20]))
                continue
            own = [one for one in changes if one.org == org]
            whole, unfit = overlaid(base, own)
            for one in unfit:
                _log.error("roster.change_unfit", org=org, change=str(one.id), kind=one.change.kind)
            calendar = self.calendars[base.calendar] if base.calendar is not None else MondayToFriday()
            marks = "".join(str(one.id) for one in own if one not in unfit)
            sha256 = hashlib.sha256(f"{version.sha256}{marks}".encode()).hexdigest() if marks else version.sha256
            bases[org] = base
            rosters[org] = build_roster(whole, calendar, sha256, proven=proven.get(org, frozenset()))
            _log.info("roster.in_force", org=org, version=version.number, changes=len(own) - len(unfit), sha256=sha256)
        return bases, rosters

    def _understand(self, version: roster_records.Version) -> WrittenFile:
        """Read once: a change beside a roster of megabytes is in force at once all the same."""
        key = version.org, version.number
        if key not in self._understood:
            file = f"roster {version.org} version {version.number}"
            read = read_roster(version.text, file=file, calendars=self.calendars)
            self._understood = {known: one for known, one in self._understood.items() if known[0] != version.org}
            self._understood[key] = read
        return self._understood[key]
