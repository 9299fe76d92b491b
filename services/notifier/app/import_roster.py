"""A whole roster is taken over from its text, or only compared with what is in force."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from services.notifier.app.rules import Book
from services.notifier.domain.roster_building import build_roster
from services.notifier.domain.roster_changes import MadeChange, overlaid
from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_diff import Difference, differences
from services.notifier.domain.roster_file import WrittenFile
from services.notifier.domain.roster_findings import Finding
from services.notifier.domain.roster_problems import RosterError, RosterProblem
from services.notifier.domain.roster_text import MondayToFriday, read_roster
from services.notifier.store import roster_records, verifications
from shared.db.engine import Database
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """What differs, what will go wrong in the days ahead, and which changes beside the roster no longer fit."""

    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]
    unfit: tuple[MadeChange, ...]
    applied: bool


async def import_roster(
    org: str, text: str, by: str, *, dry_run: bool, days: int, book: Book, database: Database
) -> Imported:
    """Raises RosterError with every problem of the text, also when it is another organisation's."""
    # Minutes for megabytes of dense text; whoever is to be told meanwhile must not wait for that.
    written = await asyncio.to_thread(read_roster, text, file="import", calendars=book.calendars)
    if written.organisation != org:
        what = f"is '{written.organisation}', the key is of '{org}'"
        raise RosterError([RosterProblem("import", 1, "organisation", "", what)])
    async with database.transaction() as tx:
        own = [one for one in await roster_records.changes_in_force(tx, tx.now) if one.org == org]
        whole, unfit = overlaid(written, own)
        base = book.base(org)
        found = differences(base, written) if base is not None else ()
        is_new = base is None or bool(found)
        if is_new and not dry_run:
            digest = sha256(text.encode()).hexdigest()
            await roster_records.lock_versions(tx)
            await roster_records.add_version(tx, org, sha256=digest, text=text, origin="import", made_by=by)
        proven = (await verifications.proven(tx)).get(org, frozenset())
        findings = _ahead(whole, tx.now, days, book, proven)
    if is_new and not dry_run:
        await book.refresh()
        _log.info("roster.imported", org=org, by=by, differences=len(found))
    return Imported(found, findings, unfit, applied=is_new and not dry_run)


def _ahead(whole: WrittenFile, now: datetime, days: int, book: Book, proven: frozenset[str]) -> tuple[Finding, ...]:
    calendar = book.calendars[whole.calendar] if whole.calendar is not None else MondayToFriday()
    return check_roster(build_roster(whole, calendar, "", proven=proven), now, now + timedelta(days=days))
