"""Plans as cases need them: today's library, and every snapshot a case was opened with."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from services.classifier.domain.windows import Reading, reading_of
from shared.db.tx import Tx
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, plan_from_snapshot
from shared.plans.problems import PlanLibraryError
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_MAX_REMEMBERED: Final = 2000


class Plans:
    """The library and the revived snapshots of this process. `library` may be replaced while at work."""

    def __init__(self, library: PlanLibrary) -> None:
        self._use(library)
        self._pinned: dict[str, CompiledPlan] = {}
        self._readings: dict[str, Reading] = {}
        self._stored: set[str] = set()
        self._worded: dict[str, date] = {}

    @property
    def library(self) -> PlanLibrary:
        """The plans that new cases get."""
        return self._library

    @library.setter
    def library(self, library: PlanLibrary) -> None:
        # A batch in hand may have found its plan in the old library: it stays known by its text.
        self._pinned.update(self._by_hash)
        self._use(library)

    def _use(self, library: PlanLibrary) -> None:
        self._library = library
        self._by_hash = {plan.ref.sha256: plan for plan in library.plans}

    def current(self, name: str) -> CompiledPlan | None:
        """The plan of this name in today's library."""
        return self._library.find(name)

    def pinned(self, sha256: str) -> CompiledPlan | None:
        """The plan with this text, if `load` found it."""
        return self._by_hash.get(sha256) or self._pinned.get(sha256)

    def reading(self, plan: CompiledPlan) -> Reading:
        """What the plan's criteria read, worked out once."""
        reading = self._readings.get(plan.ref.sha256)
        if reading is None:
            reading = self._readings[plan.ref.sha256] = reading_of(plan)
        return reading

    def needs_words(self, sha256: str, now: datetime) -> bool:
        """Whether this process has not yet published the plan's words this day (UTC): far less than a topic keeps."""
        return self._worded.get(sha256) != now.date()

    def worded(self, hashes: Iterable[str], now: datetime) -> None:
        """Their words were published and committed."""
        self._worded.update(dict.fromkeys(hashes, now.date()))

    async def load(self, tx: Tx, hashes: Iterable[str]) -> None:
        """Revive snapshots that are in neither the library nor this process. One that cannot be is left out."""
        missing = sorted({sha256 for sha256 in hashes if self.pinned(sha256) is None})
        if not missing:
            return
        if len(self._pinned) > _MAX_REMEMBERED:
            self._pinned.clear()
            self._readings.clear()
        rows = await tx.fetch(
            "SELECT sha256, snapshot FROM plans WHERE sha256 = ANY(CAST(:hashes AS text[]))", hashes=missing
        )
        for row in rows:
            try:
                self._pinned[row["sha256"]] = plan_from_snapshot(row["snapshot"])
            except PlanLibraryError as error:
                _log.error("plan.snapshot_unreadable", sha256=row["sha256"], error=str(error))  # the message says it

    async def keep(self, tx: Tx, plans: Iterable[CompiledPlan]) -> None:
        """Store the text of plans that decide for the first time."""
        fresh = {plan.ref.sha256: plan for plan in plans if plan.ref.sha256 not in self._stored}
        if not fresh:
            return
        ordered = [fresh[sha256] for sha256 in sorted(fresh)]
        await tx.execute(
            "INSERT INTO plans (sha256, name, version, snapshot, stored_at) SELECT g.*, CAST(:now AS timestamptz) FROM "
            "unnest(CAST(:hashes AS text[]), CAST(:names AS text[]), CAST(:versions AS integer[]), "
            "CAST(:snapshots AS text[])) AS g ON CONFLICT DO NOTHING",
            hashes=[plan.ref.sha256 for plan in ordered],
            names=[plan.name for plan in ordered],
            versions=[plan.ref.version for plan in ordered],
            snapshots=[plan.snapshot() for plan in ordered],
            now=tx.now,
        )
        tx.after_commit.append(lambda: self._stored.update(fresh))
