"""One case: everything that happened and why, and what may be done."""

import re
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.console.app.command_case import Decision, command_case
from services.console.app.read_case import read_case
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.domain.actions import (
    actions_for,
    arguments_of,
    is_offered,
    keeping_for,
    levels_above,
    takes_administrator,
)
from services.console.domain.forms import forms_by_plan
from services.console.web.frame import PageError, Site, render
from services.console.web.guard import checked_form, needs
from shared.contracts.commands import CommandKind
from shared.contracts.values import MAX_NARRATIVE

_NUMBER = re.compile(r"[0-9]{4}-[0-9]{2}-W?[0-9]{5,9}")
_LONGEST_REASON = min(2000, MAX_NARRATIVE)


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))
    operator = Depends(needs(site, Role.OPERATOR))

    async def show(request: Request, session: Session, wanted: str, template: str) -> Response:
        case = await read_case(session.person.org, wanted, database=site.database, words=site.words)
        if case is None:
            raise PageError(404, "没有这个案件。", "There is no such case.")
        plans = {plan.name: plan for plan in site.plans.library.plans}
        return render(
            site,
            request,
            template,
            session=session,
            case=case,
            actions=actions_for(case.plans),
            keeping=keeping_for(case.plans, case.timeline),
            levels={
                view["plan"]: levels_above(plans[view["plan"]].plan, view["level_rank"])
                for view in case.plans
                if view["plan"] in plans
            },
            forms=forms_by_plan(case.plans, plans),
            partial=template == "case_content.html",
            done=request.query_params.get("done", ""),
            survivor=_number_in(request.query_params.get("survivor", "")),
        )

    @pages.get("/cases/{wanted}")
    async def page(request: Request, wanted: str, session: Session = viewer) -> Response:
        return await show(request, session, wanted, "case.html")

    @pages.get("/cases/{wanted}/content")
    async def content(request: Request, wanted: str, session: Session = viewer) -> Response:
        return await show(request, session, wanted, "case_content.html")

    @pages.post("/cases/{wanted}/commands")
    async def command(request: Request, wanted: str, session: Session = operator) -> Response:
        form = await checked_form(site, request, session.csrf)
        name, reason = form.get("command", ""), form.get("reason", "").strip()
        _check(name, session)
        if len(reason) > _LONGEST_REASON:
            raise PageError(422, "理由过长。", "The reason is too long.")
        try:
            arguments = arguments_of(name, form, site.timezone)
        except ValueError as error:
            raise PageError(422, "时刻无法识别。", "The instant cannot be read.") from error
        answer = await command_case(
            session.person.org,
            wanted,
            Decision(CommandKind(name), form.get("plan") or None, reason or None, dict(arguments)),
            session.person.name,
            database=site.database,
            intake=site.intake,
        )
        if not answer.accepted:
            told = "；".join([answer.title, *(f"{field}: {what}" for field, what in answer.fields.items())])
            raise PageError(answer.status, f"未能提交：{told}", f"Not accepted: {told}")
        counts_for = f"&survivor={quote(answer.survivor)}" if answer.survivor else ""
        return RedirectResponse(f"/cases/{quote(wanted)}?done={name}{counts_for}", 303)

    return pages


def _number_in(text: str) -> str:
    """A case number, and nothing else that somebody put into an address."""
    return text if _NUMBER.fullmatch(text) else ""


def _check(command: str, session: Session) -> None:
    if not is_offered(command):
        raise PageError(422, "没有这个操作。", "There is no such action.")
    if takes_administrator(command) and not session.person.may(Role.ADMIN):
        raise PageError(403, "此操作须由管理员执行。", "This takes an administrator.")
