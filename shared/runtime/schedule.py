"""Periodic work through APScheduler: sweeps, audits, reports. Never one job a case: the schedule of cases is rows."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from shared.runtime.logging import get_logger

_log = get_logger(__name__)
Job = Callable[[], Awaitable[None]]


_SELDOM: Final = timedelta(minutes=30)


def _jitter(interval: timedelta) -> int | None:
    """Seconds by which a run may come sooner or later: what is done seldom is not done by all replicas at once."""
    return int(interval.total_seconds() / 20) if interval >= _SELDOM else None


class Schedule:
    """Runs each job at its interval, at most one at a time; a missed run is made up once."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def every(self, interval: timedelta, name: str, job: Job) -> None:
        """Run `job` at this interval. A failure is logged with its name and does not stop later runs."""

        async def run() -> None:
            try:
                await job()
            except Exception:  # noqa: BLE001  # one failed run must not end the schedule; it is logged as an error
                _log.exception("schedule.job_failed", job=name)

        self._scheduler.add_job(
            run,
            IntervalTrigger(seconds=interval.total_seconds(), jitter=_jitter(interval)),
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
