"""Liveness, readiness and metrics of a process, the same three routes everywhere."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Probe = Callable[[], Awaitable[str | None]]
"""Answers None when fine, else one sentence that says what is wrong."""


@dataclass
class Health:
    """Named probes. Ready when all of them answer None."""

    service: str
    probes: dict[str, Probe] = field(default_factory=dict)

    def add(self, name: str, probe: Probe) -> None:
        self.probes[name] = probe

    async def problems(self) -> dict[str, str]:
        """What is wrong now, by probe. A probe that raises counts as a problem."""
        found: dict[str, str] = {}
        for name, probe in self.probes.items():
            try:
                problem = await probe()
            except Exception as error:  # noqa: BLE001  # a broken probe is an answer, not a crash of the page
                problem = f"{type(error).__name__}: {error}"
            if problem is not None:
                found[name] = problem
        return found

    def routes(self) -> list[Route]:
        """`/healthz` (alive), `/readyz` (503 with reasons when not ready), `/metrics`."""
        return [
            Route("/healthz", self._alive),
            Route("/readyz", self._ready),
            Route("/metrics", _metrics),
        ]

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"service": self.service, "status": "alive"})

    async def _ready(self, _: Request) -> Response:
        problems = await self.problems()
        status = "not ready" if problems else "ready"
        return JSONResponse(
            {"service": self.service, "status": status, "problems": problems},
            status_code=503 if problems else 200,
        )


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
