"""How a plan writes the words of its own messages."""

from typing import Annotated, Final

from pydantic import Field

from shared.contracts.notifications import MessageForm, Purpose
from shared.contracts.values import Slug, Text
from shared.plans.people_spec import Levels
from shared.plans.words import PlanModel, Words

MAX_SMS: Final = 6
"""Parts an SMS may cost with its link, whatever an installation allows."""


class MessageSpec(PlanModel):
    """A text of the plan's own for one channel; what no text is written for has the usual one.

    The one that names the purpose goes before one that names levels only, and that before one that names neither.
    """

    id: Slug
    channel: Annotated[
        MessageForm, Field(description="sms, voice, email (also chat), or subject: the headline of mail and chat")
    ]
    purpose: Annotated[Purpose | None, Field(description="Only messages for this; absent: all")] = None
    levels: Levels = ()
    text: Annotated[Words, Field(description="Named places such as {case}; [ ] is left out when a place is empty")]
    source: Text | None = None
