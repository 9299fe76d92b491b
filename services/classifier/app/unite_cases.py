"""Let cases that go on for others know what is known of those, along the chain of mergers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from uuid import UUID

from services.classifier.app.judge_cases import Ports, Subject
from services.classifier.domain.mergers import Absorbed, Merger
from services.classifier.domain.proposals import absorbed_of
from services.classifier.domain.runs import Run
from services.classifier.store.cases import lock_cases
from shared.db.tx import Tx

RunKey = tuple[UUID, str]
"""A case under a plan."""


async def unite_cases(
    tx: Tx, subjects: Mapping[UUID, Subject], ports: Ports, mergers: Mapping[RunKey, Merger] | None = None
) -> dict[UUID, Subject]:
    """The subjects and, locked, the cases that go on for them, each with what is known of the cases it goes on for.

    `mergers` are new ones of the subjects; an older one than is known changes nothing. A case that is not here, such
    as a warning, is passed over.
    """
    if not mergers and not any(_into(run) for subject in subjects.values() for run in subject.runs.values()):
        return dict(subjects)
    found = await _with_chains(tx, dict(subjects))
    for key, merger in (mergers or {}).items():
        _join(found, key, merger)
    found = await _with_chains(tx, found)
    await ports.plans.load(tx, (run.sha256 for subject in found.values() for run in subject.runs.values()))
    for case_id in subjects:
        for plan in found[case_id].runs:
            _pass_on(found, (case_id, plan), ports)
    return found


def _into(run: Run | None) -> UUID | None:
    return run.merger.into if run is not None and run.merger is not None else None


async def _with_chains(tx: Tx, subjects: dict[UUID, Subject]) -> dict[UUID, Subject]:
    looked: set[UUID] = set()
    while wanted := {
        into: subject.cause
        for subject in subjects.values()
        for run in subject.runs.values()
        if (into := _into(run)) is not None and into not in subjects and into not in looked
    }:
        looked |= set(wanted)
        for case_id, stored in (await lock_cases(tx, list(wanted))).items():
            subjects[case_id] = Subject(
                case_id=case_id,
                org=stored.org,
                state=stored.state,
                runs=stored.runs,
                unrouted_since=stored.unrouted_since,
                new=False,
                route=False,
                cause=wanted[case_id],
            )
    return subjects


def _chain(subjects: Mapping[UUID, Subject], key: RunKey) -> Iterator[UUID]:
    """The cases that go on for this one under the plan, nearest first."""
    case_id, plan = key
    org, seen = subjects[case_id].org, {case_id}
    into = _into(subjects[case_id].runs.get(plan))
    while into is not None and into not in seen and into in subjects:
        if subjects[into].org != org or plan not in subjects[into].runs:
            return
        seen.add(into)
        yield into
        into = _into(subjects[into].runs[plan])


def _join(subjects: dict[UUID, Subject], key: RunKey, merger: Merger) -> None:
    case_id, plan = key
    run = subjects[case_id].runs.get(plan)
    if run is None or (run.merger is not None and run.merger.revision >= merger.revision):
        return
    left = {str(case_id), *run.absorbed}
    for other in _chain(subjects, key):
        theirs = subjects[other].runs[plan]
        kept = {name: one for name, one in theirs.absorbed.items() if name not in left}
        _set(subjects, (other, plan), replace(theirs, absorbed=kept))
    _set(subjects, key, replace(run, merger=merger))


def _pass_on(subjects: dict[UUID, Subject], key: RunKey, ports: Ports) -> None:
    case_id, name = key
    subject = subjects[case_id]
    run = subject.runs[name]
    plan = ports.plans.pinned(run.sha256)
    if plan is None or _into(run) is None:
        return
    view = subject.state.view(case_id, subject.org)
    told: dict[str, Absorbed] = {**run.absorbed, str(case_id): absorbed_of(plan, subject.state, run.carried, view)}
    for other in _chain(subjects, key):
        theirs = subjects[other].runs[name]
        _set(subjects, (other, name), replace(theirs, absorbed={**theirs.absorbed, **told}))


def _set(subjects: dict[UUID, Subject], key: RunKey, run: Run) -> None:
    subject = subjects[key[0]]
    subjects[key[0]] = replace(subject, runs={**subject.runs, key[1]: run})
