"""An attached client that remembers what it was told last of each kind, and waits for what it wants to see."""

from __future__ import annotations

from collections.abc import Callable

from engine import messages as m
from engine.client import Client


class Seen:
    """`until` waits for as long as it takes: its caller sets the limit."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.status: m.StatusView | None = None
        self.desk: m.DeskView | None = None
        self.chain: m.ChainView | None = None
        self.ladder: m.LadderView | None = None  # the last one heard
        self.ladders: dict[str, m.LadderView] = {}

    async def until(self, ready: Callable[[Seen], object]) -> None:
        """Raises LinkLost."""
        while not ready(self):
            for view in await anext(aiter(self.client)):
                self._see(view)

    async def ready(self) -> None:
        """The desk is reconciled with its venue, and something is listed there."""
        await self.until(lambda s: s.status and s.status.reconciled and s.desk and s.chain and s.chain.instruments)

    def _see(self, view: m.View) -> None:
        match view:
            case m.StatusView():
                self.status = view
            case m.DeskView():
                self.desk = view
            case m.ChainView():
                self.chain = view
            case m.LadderView():
                self.ladder = self.ladders[view.instrument] = view
