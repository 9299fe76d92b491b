"""Silences as they were made and ended, and those in force kept in memory."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.silence_file import (
    SILENCE,
    MadeSilence,
    WrittenQuietHours,
    WrittenSilence,
    built_quiet_hours,
    built_silence,
)
from services.notifier.domain.silences import Silence
from services.notifier.store.roster_book import RosterBook
from shared.db.engine import Database
from shared.db.tx import Row, Tx
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_COLUMNS = "silence_id, org, CAST(body AS text) AS written, made_by, made_at, ends_at, ended_by, ended_at"


async def add(tx: Tx, one: MadeSilence) -> None:
    await tx.execute(
        "INSERT INTO silences (silence_id, org, body, made_by, made_at, ends_at) "
        "VALUES (:id, :org, CAST(:body AS jsonb), :by, :at, :ends)",
        id=one.id,
        org=one.org,
        body=one.written.model_dump_json(by_alias=True),
        by=one.made_by,
        at=one.made_at,
        ends=one.ends_at,
    )


async def end(tx: Tx, org: str, silence_id: UUID, by: str) -> bool:
    """False when there is no such silence, or it is over."""
    touched = await tx.execute(
        "UPDATE silences SET ended_by = :by, ended_at = :now WHERE org = :org AND silence_id = :id "
        "AND ended_at IS NULL AND ends_at > :now",
        by=by,
        now=tx.now,
        org=org,
        id=silence_id,
    )
    return touched > 0


async def wake_held(tx: Tx, org: str) -> int:
    """What waits for silences of this organisation is due now, to be decided anew; how many that are."""
    return await tx.execute(
        "UPDATE intents SET due_at = :now WHERE org = :org AND due_at > :now AND stopped IS NULL "
        "AND noise_rule IN ('maintenance', 'silence')",
        org=org,
        now=tx.now,
    )


async def listed(tx: Tx, org: str, limit: int) -> list[MadeSilence]:
    """The last made first, ended ones too."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM silences WHERE org = :org ORDER BY made_at DESC, silence_id LIMIT :limit",  # noqa: S608  # a constant list of columns
        org=org,
        limit=limit,
    )
    return [_silence(row) for row in rows]


class SilenceBook:
    """The silences in force by organisation, with the quiet hours of the settings; `refresh` reads what changed."""

    def __init__(
        self,
        database: Database,
        rosters: RosterBook,
        calendars: Mapping[str, WorkingDays],
        quiet_hours: Sequence[WrittenQuietHours] = (),
    ) -> None:
        self._database = database
        self._rosters = rosters
        self._calendars = calendars
        self._quiet_hours = tuple(quiet_hours)
        self._made: dict[str, tuple[Silence, ...]] = {}
        self._quiet: dict[str, tuple[str, tuple[Silence, ...]]] = {}

    def of(self, org: str) -> Sequence[Silence]:
        """The silences that were made and not ended, and the quiet hours."""
        return (*self._made.get(org, ()), *self._quiet_of(org))

    def built(self, org: str, written: WrittenSilence, *, silence_id: UUID, by: str) -> Silence:
        """By the organisation's zone and calendar. Raises LookupError without a roster, else ValueError."""
        roster = self._rosters.of(org)
        if roster is None:
            raise LookupError(org)
        return built_silence(
            written, silence_id=silence_id, by=by, zone=roster.zone, calendar=self._rosters.calendar_of(org)
        )

    async def refresh(self) -> None:
        """Take over what was made or ended, here or elsewhere."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(
                f"SELECT {_COLUMNS} FROM silences WHERE ended_at IS NULL AND ends_at > :now ORDER BY made_at",  # noqa: S608  # a constant list of columns
                now=tx.now,
            )
        made: dict[str, tuple[Silence, ...]] = {}
        for one in map(_silence, rows):
            try:
                silence = self.built(one.org, one.written, silence_id=one.id, by=one.made_by)
            except (LookupError, ValueError) as error:
                _log.error("silence.unfit", org=one.org, silence=str(one.id), why=str(error))
                continue
            made[one.org] = (*made.get(one.org, ()), silence)
        self._made = made

    def _quiet_of(self, org: str) -> tuple[Silence, ...]:
        roster = self._rosters.of(org) if self._quiet_hours else None
        if roster is None:
            return ()
        known = self._quiet.get(org)
        if known is None or known[0] != roster.sha256:
            known = (roster.sha256, self._quiet_built(org, roster))
            self._quiet[org] = known
        return known[1]

    def _quiet_built(self, org: str, roster: Roster) -> tuple[Silence, ...]:
        calendar = self._rosters.calendar_of(org)
        return tuple(
            built_quiet_hours(one, number=number, zone=roster.zone, calendar=calendar)
            for number, one in enumerate(self._quiet_hours, 1)
        )


def _silence(row: Row) -> MadeSilence:
    return MadeSilence(
        id=row["silence_id"],
        org=row["org"],
        written=SILENCE.validate_python(json.loads(row["written"])),
        made_by=row["made_by"],
        made_at=row["made_at"],
        ends_at=row["ends_at"],
        ended_by=row["ended_by"],
        ended_at=row["ended_at"],
    )
