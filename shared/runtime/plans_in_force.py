"""The plans a running service works with: read again when their folder changes, never replaced by bad ones."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.plans.checked_plans import digest_of_texts
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from shared.runtime.logging import get_logger
from shared.runtime.metrics import PLANS_BROKEN, PLANS_IN_FORCE

_log = get_logger(__name__)
_SHOWN = 20
TakeOver = Callable[[PlanLibrary], None]
"""What a service does with a new library. Raises ValueError when it cannot work with it; then the old one stays."""


class PlansInForce:
    """One library, whole. A library with a problem is refused whole: logged once, shown by `probe` until repaired."""

    def __init__(
        self,
        root: Path,
        overrides: Mapping[str, Mapping[str, Any]],
        library: PlanLibrary,
        *,
        checked: Path | None = None,
        loaded: bool = True,
    ) -> None:
        """`library` is what `root` held when the service started, with these values set; `checked` as for loading.

        `loaded` False: `root` has not been looked at yet, the first `refresh` will.
        """
        self._checked = checked
        self._root = root
        self._overrides = dict(overrides)
        self._digest = digest_of_texts(root) if loaded else ""
        self._refused: str | None = None
        self._problem: str | None = None
        self._library = library
        self._announce()

    @property
    def library(self) -> PlanLibrary:
        """The plans that new cases get now."""
        return self._library

    async def refresh(self, take_over: TakeOver = lambda _: None) -> bool:
        """Read the folder again if a plan's text changed; True when other plans are in force afterwards."""
        digest = await asyncio.to_thread(digest_of_texts, self._root)
        if digest == self._digest and self._problem is not None:
            self._accept(self._library, digest)
        if digest in {self._digest, self._refused}:
            return False
        try:
            library = await asyncio.to_thread(PlanLibrary.load, self._root, self._overrides, checked=self._checked)
            take_over(library)
        except (PlanLibraryError, ValueError) as error:
            self._refuse(error, digest)
            return False
        changed = {plan.ref for plan in library.plans} != {plan.ref for plan in self._library.plans}
        self._accept(library, digest)
        if changed:
            _log.info("plans.in_force", plans=len(library.plans))
        return changed

    async def probe(self) -> str | None:
        """None while what is on disk is in force; else what is wrong with it."""
        return f"the old plans stay in force: {self._problem[:500]}" if self._problem else None

    def _accept(self, library: PlanLibrary, digest: str) -> None:
        self._library, self._digest = library, digest
        self._problem = self._refused = None
        self._announce()

    def _refuse(self, error: ValueError, digest: str) -> None:
        # Bad files stay bad until they change; what a service lacks besides, such as a calendar, may come by itself.
        self._refused = digest if isinstance(error, PlanLibraryError) else None
        if self._problem != str(error):
            _log.error("plans.refused", problems=str(error).splitlines()[:_SHOWN], on_disk=digest[:12])
        self._problem = str(error)
        PLANS_BROKEN.set(1)

    def _announce(self) -> None:
        PLANS_BROKEN.set(0)
        PLANS_IN_FORCE.set(len(self._library.plans))
