"""Times in which messages wait: planned maintenance, silences, quiet hours, each for the messages its filter names.

What waits is not lost: it goes out when the time is over, says how late it is, and what a later step took the place of
meanwhile is left out. Whether a silence may touch a message at all is decided in `noise`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from services.notifier.domain.roster import Hours
from services.notifier.domain.roster_wall_time import local_day
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import Bilingual

_ONE_DAY = timedelta(days=1)


class SilenceKind(StrEnum):
    MAINTENANCE = "maintenance"
    SILENCE = "silence"
    QUIET_HOURS = "quiet-hours"


class Afterwards(StrEnum):
    """What becomes of messages that waited: told then, or left out for good."""

    TELL = "tell"
    DROP = "drop"


_NAMES = {
    SilenceKind.MAINTENANCE: Bilingual(zh="维护窗口", en="maintenance window"),
    SilenceKind.SILENCE: Bilingual(zh="静默", en="silence"),
    SilenceKind.QUIET_HOURS: Bilingual(zh="安静时段", en="quiet hours"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are meant; an empty field means any. Topics may have `*` and `?`; a place is any part of one."""

    plans: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()

    def fits(self, subject: Subject, purpose: Purpose, person: str) -> bool:
        """True when every field that is not empty names this message."""
        place = subject.place
        parts = {place.province, place.city, place.district, place.site}
        return (
            (not self.plans or subject.plan in self.plans)
            and (not self.levels or subject.level in self.levels)
            and (not self.topics or any(_is_like(subject.topic or "", one) for one in self.topics))
            and (not self.places or any(one in parts for one in self.places))
            and (not self.people or person in self.people)
            and (not self.purposes or purpose in self.purposes)
        )


def _is_like(topic: str, pattern: str) -> bool:
    """`*` and `?` stand for something else, everything else for itself."""
    return fnmatchcase(topic, pattern.replace("[", "[[]"))


@dataclass(frozen=True, slots=True)
class Silence:
    """From `begins_at` until just before `ends_at` (aware; None: without a bound), and only within `hours` if any."""

    id: str
    kind: SilenceKind
    filter: Filter
    begins_at: datetime | None
    ends_at: datetime | None
    hours: Hours | None
    reason: str
    by: str
    afterwards: Afterwards = Afterwards.TELL

    def runs_until(self, now: datetime) -> datetime | None:
        """The end of the time that runs at `now`; None when none does."""
        if (self.begins_at is not None and now < self.begins_at) or (self.ends_at is not None and now >= self.ends_at):
            return None
        if self.hours is None:
            return self.ends_at
        today = local_day(now, self.hours.zone)
        spans = self.hours.spans(today - _ONE_DAY, today + _ONE_DAY)
        ends = [end for begin, end in spans if begin <= now < end]
        if not ends:
            return None
        return max(ends) if self.ends_at is None else min(max(ends), self.ends_at)

    @property
    def words(self) -> Bilingual:
        """What it is, why, and whose word it was."""
        name = _NAMES[self.kind]
        return Bilingual(
            zh=f"{name.zh}：{self.reason}（{self.by}）"[:500], en=f"{name.en}: {self.reason} ({self.by})"[:500]
        )
