"""One case under one plan: what was published last, and whether something new is worth publishing."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from services.classifier.domain.cases import CaseState
from services.classifier.domain.mergers import Absorbed, Merger, absorbed_from_data, merger_from_data
from services.classifier.domain.windows import Counted, counted_from_data
from shared.contracts.classifications import DuplicateOf, OpenedBy, PlanMove, ProposedFact
from shared.contracts.immutable import immutable
from shared.contracts.json_text import json_bytes
from shared.contracts.values import FactValue
from shared.plans.compiled import CompiledPlan, Evaluation


@immutable
class Run:
    """A case under the plan snapshot it opened with. `revision` 0: nothing was published yet."""

    plan: str
    sha256: str
    revision: int = 0
    level: str | None = None
    held: tuple[str, ...] = ()
    digest: str = ""
    counted: frozenset[Counted] = frozenset()
    reconsider_at: datetime | None = None
    opened_by: OpenedBy | None = None
    carried: Mapping[str, FactValue] = field(default_factory=dict)
    """Facts that the plan which opened this one passed on."""
    duplicate_of: DuplicateOf | None = None
    """Found once, it stays: whether to merge is then the case's business."""
    move: PlanMove | None = None
    """How it came under this version of its plan, where a person moved it."""
    refused: PlanMove | None = None
    """A move that was asked for just now and cannot be; told once and not kept."""
    merger: Merger | None = None
    """Which case goes on for this one."""
    absorbed: Mapping[str, Absorbed] = field(default_factory=dict)
    """What is known of the cases for which this one goes on, by their ids."""

    def as_data(self) -> dict[str, Any]:
        """The run as values that JSON takes; `run_from_data` is the inverse."""
        return {
            "plan": self.plan,
            "sha256": self.sha256,
            "revision": self.revision,
            "level": self.level,
            "held": self.held,
            "digest": self.digest,
            "counted": sorted(self.counted),
        } | self._rare()

    def _rare(self) -> dict[str, Any]:
        """What most runs do not have is left out: every byte of a case is written with every change of it."""
        rare: dict[str, Any] = {}
        if self.reconsider_at is not None:
            rare["reconsider_at"] = self.reconsider_at
        if self.opened_by is not None:
            rare["opened_by"] = self.opened_by.model_dump(mode="json")
        if self.carried:
            rare["carried"] = self.carried
        if self.duplicate_of is not None:
            rare["duplicate_of"] = self.duplicate_of.model_dump(mode="json")
        if self.move is not None:
            rare["move"] = self.move.model_dump(mode="json")
        if self.merger is not None:
            rare["merger"] = self.merger.as_data()
        if self.absorbed:
            rare["absorbed"] = {case_id: one.as_data() for case_id, one in self.absorbed.items()}
        return rare


def run_from_data(data: Mapping[str, Any]) -> Run:
    """The run stored by `as_data`."""
    due = data.get("reconsider_at")
    return Run(
        plan=data["plan"],
        sha256=data["sha256"],
        revision=data["revision"],
        level=data["level"],
        held=tuple(data["held"]),
        digest=data["digest"],
        counted=frozenset(counted_from_data(counted) for counted in data["counted"]),
        reconsider_at=datetime.fromisoformat(due) if due else None,
        opened_by=OpenedBy.model_validate(data["opened_by"]) if data.get("opened_by") else None,
        carried=data.get("carried") or {},
        duplicate_of=DuplicateOf.model_validate(data["duplicate_of"]) if data.get("duplicate_of") else None,
        move=PlanMove.model_validate(data["move"]) if data.get("move") else None,
        merger=merger_from_data(data["merger"]) if data.get("merger") else None,
        absorbed={case_id: absorbed_from_data(one) for case_id, one in data.get("absorbed", {}).items()},
    )


def opened(plan: CompiledPlan, by: OpenedBy | None = None, carried: Mapping[str, FactValue] | None = None) -> Run:
    """The beginning of a case under a plan, which another plan may have asked for."""
    return Run(plan.name, plan.ref.sha256, opened_by=by, carried=carried or {})


@immutable
class Judged:
    """The run after an evaluation; `publish` says whether it has a new revision."""

    run: Run
    publish: bool


def judge(run: Run, evaluation: Evaluation, digest: str, counted: frozenset[Counted]) -> Judged:
    """A new revision when it is the first, or when the level, the criteria that hold, or what is known changed."""
    held = evaluation.held_ids
    publish = run.revision == 0 or evaluation.level != run.level or held != run.held or digest != run.digest
    # Every field by its name: `replace` looks each of them up and takes three times as long.
    judged = Run(
        plan=run.plan,
        sha256=run.sha256,
        revision=run.revision + publish,
        level=evaluation.level,
        held=held,
        digest=digest,
        counted=counted,
        reconsider_at=evaluation.reconsider_at,
        opened_by=run.opened_by,
        carried=run.carried,
        duplicate_of=run.duplicate_of,
        move=run.move,
        refused=run.refused,
        merger=run.merger,
        absorbed=run.absorbed,
    )
    return Judged(judged, publish)


def digest_of(
    state: CaseState,
    facts: Mapping[str, FactValue],
    problems: tuple[str, ...],
    proposed: tuple[ProposedFact, ...] = (),
    duplicate_of: DuplicateOf | None = None,
) -> str:
    """What a classification says besides level and criteria, as a short hash."""
    attributes = state.told()
    about = (state.number, state.confidential, state.drill, state.first)
    told: tuple[object, ...] = (sorted(facts.items()), attributes, problems, *about)
    if proposed or duplicate_of:
        told = (*told, [(one.fact, one.signal, one.word, one.excerpt) for one in proposed], str(duplicate_of))
    return blake2b(json_bytes(told), digest_size=8).hexdigest()
