"""Plans as cases need them: the library of today, and the snapshot each case was opened with."""

from collections.abc import Iterable
from typing import Final

from services.escalator.domain.time_bases import NeedsCalendarError, Rules
from shared.calendars.library import CalendarFiles, CalendarLibrary
from shared.contracts.values import PlanRef
from shared.db.tx import Tx
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, plan_from_snapshot

_MOST_REVIVED: Final = 500


class Plans:
    """Rules by the hash of their plan's text: from the library, else revived from what was stored at an opening."""

    def __init__(self, library: PlanLibrary, calendars: CalendarLibrary | None = None) -> None:
        """`calendars` are those that limits in working time, days and months are counted by; none by default."""
        self._calendars = calendars if calendars is not None else CalendarLibrary()
        self._library = {plan.ref.sha256: Rules(plan, self._calendars) for plan in library.plans}
        self._revived: dict[str, Rules] = {}
        self._stored: set[str] = set()

    def count_by(self, calendars: CalendarLibrary) -> None:
        """Count by other editions of the calendars from now on.

        Raises NeedsCalendarError, and changes nothing, when a plan would lack its calendar.
        """
        library = {sha256: Rules(rules.plan, calendars) for sha256, rules in self._library.items()}
        revived = {sha256: Rules(rules.plan, calendars) for sha256, rules in self._revived.items()}
        _check((*library.values(), *revived.values()))
        self._calendars, self._library, self._revived = calendars, library, revived

    def use(self, library: PlanLibrary) -> None:
        """Open new cases under these plans; cases that are open keep theirs.

        Raises NeedsCalendarError, and changes nothing, when one of them counts in a calendar that is not here.
        """
        rules = {plan.ref.sha256: Rules(plan, self._calendars) for plan in library.plans}
        _check(rules.values())
        self._revived.update(self._library)
        self._library = rules

    def in_force(self) -> tuple[Rules, ...]:
        """The rules under which cases are opened now."""
        return tuple(self._library.values())

    def calendar_identities(self) -> frozenset[str]:
        """Identities of the calendars that the plans known here count by, those of single organisations included."""
        return frozenset(
            identity for rules in (*self._library.values(), *self._revived.values()) for identity in rules.identities()
        )

    def calendar_files(self) -> tuple[CalendarFiles, ...]:
        """The calendars that plans of the library name."""
        named = {rules.plan.plan.calendar for rules in self._library.values()}
        return tuple(files for files in self._calendars.files if files.name in named)

    def check(self) -> None:
        """Raises NeedsCalendarError, naming them all, when plans of the library count in what is not here."""
        _check(self._library.values())

    def find(self, ref: PlanRef) -> Rules | None:
        """The rules of this very text; None when neither the library nor a loaded snapshot has it."""
        return self.find_by_hash(ref.sha256)

    def find_by_hash(self, sha256: str) -> Rules | None:
        """The same, by the hash of the text alone."""
        return self._library.get(sha256) or self._revived.get(sha256)

    def rules_of(self, ref: PlanRef) -> Rules:
        """The rules of a text whose snapshot is stored and loaded. Raises LookupError, naming it, when it is not."""
        rules = self.find(ref)
        if rules is None:
            raise LookupError(f"the snapshot of plan '{ref.name}' {ref.sha256} is missing")
        return rules

    async def load(self, tx: Tx, refs: Iterable[PlanRef]) -> None:
        """Revive the stored snapshots that `find` does not know yet."""
        missing = sorted({ref.sha256 for ref in refs if self.find(ref) is None})
        if not missing:
            return
        if len(self._revived) > _MOST_REVIVED:
            self._revived.clear()
        rows = await tx.fetch(
            "SELECT sha256, snapshot FROM plan_snapshots WHERE sha256 = ANY(CAST(:hashes AS text[]))", hashes=missing
        )
        for row in rows:
            self._revived[row["sha256"]] = Rules(plan_from_snapshot(row["snapshot"]), self._calendars)

    async def store(self, tx: Tx, plans: Iterable[CompiledPlan]) -> None:
        """Keep the text of plans under which cases are opened now."""
        new = {plan.ref.sha256: plan for plan in plans if plan.ref.sha256 not in self._stored}
        if not new:
            return
        ordered = [new[sha256] for sha256 in sorted(new)]
        await tx.execute(
            "INSERT INTO plan_snapshots (sha256, name, version, snapshot, stored_at) "
            "SELECT sha256, name, version, snapshot, :now FROM unnest(CAST(:hashes AS text[]), CAST(:names AS text[]), "
            "CAST(:versions AS int[]), CAST(:snapshots AS text[])) AS t (sha256, name, version, snapshot) "
            "ON CONFLICT DO NOTHING",
            now=tx.now,
            hashes=[plan.ref.sha256 for plan in ordered],
            names=[plan.ref.name for plan in ordered],
            versions=[plan.ref.version for plan in ordered],
            snapshots=[plan.snapshot() for plan in ordered],
        )
        tx.after_commit.append(lambda: self._stored.update(new))


def _check(known: Iterable[Rules]) -> None:
    lacking = [problem for rules in known if (problem := rules.lacking()) is not None]
    if lacking:
        raise NeedsCalendarError("\n".join(lacking))
