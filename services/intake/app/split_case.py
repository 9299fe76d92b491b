"""Split a case: reports and facts of it are registered as a new one, and the old case is told what went away."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.intake.app.register_reports import RegisterReports
from services.intake.domain.bodies import Route
from services.intake.domain.reports import Parted, Refused, Report, prepare
from services.intake.domain.splitting import SplitRefusedError, Told, split, wanted_from
from services.intake.store.originals import open_original
from services.intake.store.register import RegisterRaceError, find_case, find_known, read_events
from services.intake.store.vault import Vault
from shared.contracts.values import CaseKind, Facts, FactValue
from shared.db.tx import Tx

_MOST_REPORTS: Final = 500


@dataclass(frozen=True, slots=True)
class SplitCase:
    """What came of it: the new case, under the number people will say aloud, and the facts that went there."""

    case_id: UUID
    number: str
    facts: tuple[str, ...]

    def arguments(self) -> dict[str, FactValue]:
        """What the command says on its topic, for the history of the old case."""
        return {"into": self.number, "case": str(self.case_id), "facts": list(self.facts)}


class Splitter:
    """The use case with what it needs."""

    def __init__(self, register: RegisterReports, vault: Vault) -> None:
        self._register = register
        self._vault = vault

    async def __call__(self, tx: Tx, org: str, case_id: UUID, arguments: Facts, *, mark: UUID) -> SplitCase:
        """Both reports are durable with the caller's transaction; `mark` is the id of the command that asks for it.

        Raises SplitRefusedError naming the argument, LookupError for a case the register does not hold. After either
        nothing may be committed.
        """
        case = await find_case(tx, org, case_id=case_id)
        if case is None:
            raise LookupError(f"the register holds no case {case_id}")
        await find_known(tx, {(org, case.source, case.reference)}, ())  # locked until the parts are written
        rows = await read_events(tx, case_id, _MOST_REPORTS)
        told = [Told(row["sequence"], row["received_at"], open_original(self._vault, row)) for row in rows]
        parts = split(CaseKind(case.kind), case.number, told, wanted_from(arguments), mark=mark.hex)
        place = (org, case.source, parts.new["reference"])
        there, _ = await find_known(tx, {place}, ())
        if there:
            raise SplitRefusedError("reference", f"'{place[2]}' is the reference of a case already")
        taken = SplitRefusedError("reference", f"'{place[2]}' was taken by another report just now")
        try:
            new, old = await self._register.register(
                tx,
                [
                    self._report(org, parts.route, parts.new, parts.new_parted),
                    self._report(org, parts.route, parts.old, parts.old_parted),
                ],
            )
            await tx.write_now()
        except RegisterRaceError as error:
            raise taken from error
        if isinstance(new, Refused) or isinstance(old, Refused):
            raise taken
        return SplitCase(new.case_id, new.number, tuple(sorted(parts.new["facts"])))

    def _report(self, org: str, route: Route, body: dict[str, Any], parted: Parted) -> Report:
        return replace(prepare(route, body, org=org, key=self._vault.ref_key), parted=parted)

    async def made(self, tx: Tx, org: str, case_id: UUID, mark: UUID) -> SplitCase | None:
        """What a command that was issued before had made."""
        case = await find_case(tx, org, case_id=case_id)
        if case is None:
            return None
        key = (org, case.source, f"split-{mark.hex}")
        _, events = await find_known(tx, (), {key})
        known = events.get(key)
        return SplitCase(known.case_id, known.number, ()) if known is not None else None
