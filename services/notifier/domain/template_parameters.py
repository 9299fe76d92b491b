"""What fills the parameters of a provider's approved template."""

from dataclasses import dataclass
from enum import StrEnum

from services.notifier.domain.texts import Rendered


class Piece(StrEnum):
    """A form of the message that a parameter may take."""

    SMS = "sms"
    HEADLINE = "headline"
    LINK = "link"
    LINK_PATH = "link-path"  # what follows the host, for templates that hold the address themselves


@dataclass(frozen=True, slots=True)
class TemplateParameter:
    """`limit`: characters the provider allows. A link is never cut: half of one is worth nothing."""

    piece: Piece
    limit: int = 500


def filled(parameter: TemplateParameter, text: Rendered, link: str | None) -> str:
    """The value of the parameter; a dash where the message has no link, because providers refuse empty values."""
    match parameter.piece:
        case Piece.SMS:
            return _cut(text.sms, parameter.limit)
        case Piece.HEADLINE:
            return _cut(text.headline, parameter.limit)
        case Piece.LINK:
            return link or "-"
        case Piece.LINK_PATH:
            return (link or "-").partition("://")[2].partition("/")[2] or "-"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
