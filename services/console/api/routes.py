"""All routes under /v1."""

from fastapi import APIRouter

from services.console.api.access import ApiParts
from services.console.api.cases import cases_router
from services.console.api.dead_letters import dead_letters_router
from services.console.api.reports import reports_router
from services.console.api.streams import streams_router


def api_router(parts: ApiParts) -> APIRouter:
    """Every answer is JSON or a stream; every error is problem+json."""
    router = APIRouter(prefix="/v1")
    for group in (cases_router(parts), reports_router(parts), dead_letters_router(parts), streams_router(parts)):
        router.include_router(group)
    return router


__all__ = ["ApiParts", "api_router"]
