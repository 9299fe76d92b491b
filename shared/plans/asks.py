"""What a compiled plan asks for besides level, clocks and tiers: gates, approvals, records, notices, duties."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from shared.contracts.notifications import MessageTemplate, Purpose
from shared.contracts.values import FactValue
from shared.plans.compilation import Parts
from shared.plans.duties import CompiledClock, CompiledTier
from shared.plans.expressions import Environment
from shared.plans.inputs import Reader
from shared.plans.model import Plan
from shared.plans.obligations import (
    CompiledActivation,
    CompiledApproval,
    CompiledBaseline,
    CompiledBypass,
    CompiledCheck,
    CompiledConsequence,
    CompiledDrill,
    CompiledDuplicate,
    CompiledDuty,
    CompiledInform,
    CompiledNotice,
    CompiledOpening,
    CompiledRecord,
    CompiledRecusal,
    CompiledWaits,
    CompiledWarningEnd,
    Entry,
    ProposedConsequence,
)
from shared.plans.people_spec import Confidentiality
from shared.plans.signals import CompiledSignal, Proposal, signals_in

E = TypeVar("E", bound=Entry | CompiledClock | CompiledTier)
Values = Mapping[str, FactValue | None]
Counts = Mapping[str, float]
"""Window values, whole numbers, and baselines by their names."""

NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Only criteria may depend on the passing of time, so any instant does for every other condition."""


class PlanAsks:
    """The accessors of `CompiledPlan` that answer what applies to a case at a level with its inputs.

    Everywhere: `level` None is a case that reaches none; a condition that is not known to hold keeps its entry out;
    answers come in the order of the file.
    """

    plan: Plan
    _parts: Parts

    @property
    def baselines(self) -> Mapping[str, CompiledBaseline]:
        return self._parts.baselines

    @property
    def signals(self) -> tuple[CompiledSignal, ...]:
        return self._parts.signals

    def signals_in(self, title: str | None = None, narrative: str | None = None) -> tuple[Proposal, ...]:
        """Facts that the texts propose, with their evidence; see `shared.plans.signals`."""
        return signals_in(self._parts.signals, title, narrative)

    @property
    def duplicates(self) -> tuple[CompiledDuplicate, ...]:
        return self._parts.obligations.duplicates

    def same_event(self, rule: CompiledDuplicate, facts: Values) -> bool:
        """Whether the rule speaks about a case with these inputs: its condition holds."""
        return rule.when is None or rule.when(self._fill_all(facts, {})) is True

    @property
    def warning_end(self) -> CompiledWarningEnd | None:
        return self._parts.obligations.warning_end

    def warning_ends(self, facts: Values, windows: Counts) -> bool:
        """Whether `ends_when` holds for a group (`group_inputs` and its counts); a quiet time is the caller's."""
        end = self._parts.obligations.warning_end
        return end is not None and end.ends_when is not None and end.ends_when(self._fill_all(facts, windows)) is True

    @property
    def confidentiality(self) -> Confidentiality | None:
        """What is kept back from whom; None where nothing is."""
        return self.plan.confidentiality

    @property
    def waits(self) -> CompiledWaits:
        """How often and how long a case may wait for somebody outside."""
        return self._parts.obligations.waits

    @property
    def openings(self) -> tuple[CompiledOpening, ...]:
        return self._parts.obligations.openings

    def opens_for(self, level: str | None, facts: Values, windows: Counts) -> tuple[CompiledOpening, ...]:
        """Other plans that begin for a case at this level (None: none reached) with these inputs and counts."""
        return self._that_hold(self._parts.obligations.openings, level, facts, windows)

    @property
    def activations(self) -> tuple[CompiledActivation, ...]:
        return self._parts.obligations.activations

    def activation_for(self, level: str | None, facts: Values) -> CompiledActivation | None:
        """The gate before tiers and clocks of a case at this level; None when they start at once."""
        gates = self._that_hold(self._parts.obligations.activations, level, facts)
        return gates[0] if gates else None

    @property
    def approvals(self) -> tuple[CompiledApproval, ...]:
        return self._parts.obligations.approvals

    def approvals_for(self, level: str | None, facts: Values) -> tuple[CompiledApproval, ...]:
        """What needs approval in a case at this level."""
        return self._that_hold(self._parts.obligations.approvals, level, facts)

    @property
    def recusals(self) -> tuple[CompiledRecusal, ...]:
        return self._parts.obligations.recusals

    def recusals_for(self, level: str | None, facts: Values) -> tuple[CompiledRecusal, ...]:
        """Who keeps out of a case: only rules whose fact `who` is known."""
        if not self._parts.obligations.recusals:
            return ()
        rules = self._that_hold(self._parts.obligations.recusals, level, facts)
        return tuple(rule for rule in rules if facts.get(rule.who) is not None)

    @property
    def informs(self) -> tuple[CompiledInform, ...]:
        return self._parts.obligations.informs

    def informs_at(self, milestone: str, level: str | None, facts: Values) -> tuple[CompiledInform, ...]:
        """Who is told at a milestone, besides `informed`."""
        rules = (rule for rule in self._parts.obligations.informs if rule.on == milestone)
        return self._that_hold(rules, level, facts)

    @property
    def bypasses(self) -> tuple[CompiledBypass, ...]:
        return self._parts.obligations.bypasses

    def bypasses_for(self, level: str | None, facts: Values) -> tuple[CompiledBypass, ...]:
        """Which ways past the ladder are open."""
        return self._that_hold(self._parts.obligations.bypasses, level, facts)

    @property
    def record(self) -> tuple[CompiledRecord, ...]:
        return self._parts.obligations.record

    def record_for(self, level: str | None, facts: Values, before: str | None = None) -> tuple[CompiledRecord, ...]:
        """What must be written down before the milestone; None: before any."""
        rules = (rule for rule in self._parts.obligations.record if before in {None, rule.before})
        return self._that_hold(rules, level, facts)

    @property
    def checklist(self) -> tuple[CompiledCheck, ...]:
        return self._parts.obligations.checklist

    def checklist_for(self, level: str | None, facts: Values, before: str | None = None) -> tuple[CompiledCheck, ...]:
        """What must be ticked before the milestone; None: before any."""
        items = (item for item in self._parts.obligations.checklist if before in {None, item.before})
        return self._that_hold(items, level, facts)

    @property
    def notices(self) -> tuple[CompiledNotice, ...]:
        return self._parts.obligations.notices

    def messages_for(self, purpose: Purpose, level: str | None) -> tuple[MessageTemplate, ...]:
        """The plan's own texts for such a message, one a form: the purpose goes before the level."""
        best: dict[str, tuple[tuple[bool, bool], MessageTemplate]] = {}
        for spec in self.plan.messages:
            if spec.purpose not in {None, purpose} or (spec.levels and level not in spec.levels):
                continue
            rank = spec.purpose is not None, bool(spec.levels)
            if spec.channel not in best or rank > best[spec.channel][0]:
                template = MessageTemplate(form=spec.channel, zh=spec.text.zh, en=spec.text.en)
                best[spec.channel] = rank, template
        return tuple(template for _, template in best.values())

    def notices_on(self, moment: str, level: str | None, facts: Values) -> tuple[CompiledNotice, ...]:
        """What the complainant is told at this moment: a milestone, or extended, level-changed and the like."""
        notices = (notice for notice in self._parts.obligations.notices if notice.on == moment)
        return self._that_hold(notices, level, facts)

    @property
    def duties(self) -> tuple[CompiledDuty, ...]:
        """The organisation's duties: `shared.plans.rounds.next_due` says when each is due."""
        return tuple(duty for duty in self._parts.obligations.duties if duty.start is None)

    @property
    def case_duties(self) -> tuple[CompiledDuty, ...]:
        """Duties of each case, between their two milestones."""
        return tuple(duty for duty in self._parts.obligations.duties if duty.start is not None)

    def case_duties_for(self, level: str | None, facts: Values) -> tuple[CompiledDuty, ...]:
        """Duties that come round for a case at this level between their two milestones."""
        return self._that_hold(self.case_duties, level, facts)

    @property
    def drills(self) -> tuple[CompiledDrill, ...]:
        return self._parts.obligations.drills

    @property
    def consequences(self) -> tuple[CompiledConsequence, ...]:
        return self._parts.obligations.consequences

    def consequences_for(self, level: str | None, facts: Values, windows: Counts) -> tuple[ProposedConsequence, ...]:
        """Sanctions, rewards and accountability that hold, with their amounts. Proposals: a person decides."""
        env = self._fill_all(facts, windows)
        return tuple(
            ProposedConsequence(
                rule, rule.amount(env) if rule.amount else None, rule.up_to(env) if rule.up_to else None
            )
            for rule in self._that_hold(self._parts.obligations.consequences, level, facts, windows)
        )

    def _that_hold(
        self, entries: Iterable[E], level: str | None, facts: Values, windows: Counts | None = None
    ) -> tuple[E, ...]:
        env: Environment | None = None
        found: list[E] = []
        for entry in entries:
            if entry.levels and level not in entry.levels:
                continue
            if entry.when is not None:
                env = self._fill_all(facts, windows or {}) if env is None else env
                if entry.when(env) is not True:
                    continue
            found.append(entry)
        return tuple(found)

    def _fill_all(self, facts: Values, windows: Counts) -> Environment:
        """For conditions besides the criteria: every input any of them reads, at no time."""
        env = self._fill_facts(facts, self._parts.every_fact_slot, NO_TIME)
        for slot, name in self._parts.every_window_slot:
            env[slot] = windows.get(name)
        return env

    def _fill_facts(self, facts: Values, slots: Iterable[tuple[int, str, Reader]], now: datetime) -> Environment:
        env = self._parts.blank.copy()
        env[0] = now
        env[1] = []
        given = facts.get
        for slot, name, read in slots:
            value = given(name)
            if value is not None:
                env[slot] = read(value)
        return env
