"""Commands on cases, and dead letters sent again."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import json_response
from services.intake.api.requests import MAX_BATCH_BODY, body_of, client_of, presented_key, uuid_in_path
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.answer_for_all import Desk
from services.intake.app.check_role import CheckRole, RoleNotHeldError
from services.intake.app.find_survivor import find_survivor
from services.intake.app.issue_command import CommandConflictError, ForeignCaseError, IssuedCommand, issue_command
from services.intake.app.replay_letter import ForeignLetterError, replay_letter
from services.intake.app.split_case import Splitter
from services.intake.domain.commands import CommandBody
from services.intake.domain.letters import LetterBody, read_letter
from services.intake.domain.splitting import SplitRefusedError
from shared.access.api_keys import ApiKey, Scope
from shared.contracts.commands import OF_THE_WHOLE_CASE, CommandKind
from shared.contracts.json_guard import read_object
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError


class CommandDoors:
    """What people and operators ask for."""

    def __init__(  # noqa: PLR0917  # its parts
        self,
        admit: AdmitCaller,
        database: Database,
        ids: Ids,
        splitter: Splitter,
        check_role: CheckRole,
        desk: Desk | None = None,
    ) -> None:
        self._desk = desk
        self._admit = admit
        self._database = database
        self._ids = ids
        self._splitter = splitter
        self._check_role = check_role

    async def command(self, request: Request) -> Response:
        """202 issued, 200 issued before, 404 another organisation's case, 409 the id was used for something else.

        A split answers with the new case as `split`; 422 where what it names cannot be taken apart. Of a case that was
        merged the acknowledgement counts for the one that goes on, which the answer names as `survivor`.
        """
        key = await self._admit(presented_key(request), Scope.COMMAND, client=client_of(request))
        case_id = uuid_in_path(request, "case_id")
        body = CommandBody.model_validate(read_object(await body_of(request)))
        if body.command in OF_THE_WHOLE_CASE:
            await self._admit(presented_key(request), Scope.OPERATE, client=client_of(request))
        try:
            issued = await self._issued(key, case_id, body, request.headers.get("traceparent"))
        except ForeignCaseError as error:
            raise ProblemError(404, "There is no such case", code="not-found") from error
        except CommandConflictError as error:
            raise ProblemError(
                409, "The id was used for another command", code="command-conflict", fields={"id": str(error)}
            ) from error
        except RoleNotHeldError as error:
            raise ProblemError(
                403, "Not in this role", code="role-not-held", fields={"arguments.role": str(error)}
            ) from error
        except SplitRefusedError as error:
            raise ProblemError(
                422,
                "The case cannot be split so",
                code="split-refused",
                fields={f"arguments.{error.field}": str(error)},
            ) from error
        answer: dict[str, Any] = {
            "command_id": str(issued.command_id),
            "case_id": str(case_id),
            "duplicate": issued.duplicate,
        }
        if issued.split is not None:
            answer["split"] = {"case_id": str(issued.split.case_id), "number": issued.split.number}
        if body.command is CommandKind.ACKNOWLEDGE:
            survivor = await find_survivor(self._database, self._desk, org=key.org, case_id=case_id, plan=body.plan)
            if survivor is not None:
                answer["survivor"] = survivor
        return json_response(answer, 200 if issued.duplicate else 202)

    async def replay(self, request: Request) -> Response:
        """202 on its way, 200 sent again before."""
        key = await self._admit(presented_key(request), Scope.OPERATE, client=client_of(request))
        letter = read_letter(LetterBody.model_validate(read_object(await body_of(request, MAX_BATCH_BODY))))
        try:
            first = await replay_letter(self._database, letter, key)
        except ForeignLetterError as error:
            raise ProblemError(404, "There is no such letter", code="not-found") from error
        body = {"letter_id": letter.letter_id, "topic": letter.topic, "duplicate": not first}
        return json_response(body, 202 if first else 200)

    async def _issued(self, key: ApiKey, case_id: UUID, body: CommandBody, traceparent: str | None) -> IssuedCommand:
        actor = (
            Actor(kind=body.actor.kind, ref=body.actor.ref)
            if body.actor is not None
            else Actor(kind=ActorKind.SYSTEM, ref=key.name)
        )
        return await issue_command(
            self._database,
            self._ids,
            org=key.org,
            case_id=case_id,
            body=body,
            actor=actor,
            key_prefix=key.prefix,
            traceparent=traceparent,
            splitter=self._splitter,
            noted=await self._check_role(key.org, body, actor),
        )
