"""Who may read or change: every door of the notifier asks for an API key."""

from shared.access.bearer import Reader, reader

__all__ = ["Reader", "reader"]
