"""Registers the escalator's fixtures; the pieces themselves are in `tests.support.escalator`."""

from tests.support.escalator import escalator, escalator_url

__all__ = ["escalator", "escalator_url"]
