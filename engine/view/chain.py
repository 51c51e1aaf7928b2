"""What can be looked at."""

from __future__ import annotations

from engine import messages as m
from engine.core import Core
from engine.domain import MS, Kind


def chain(core: Core) -> m.ChainView:
    """Every listed instrument that is not over: options by expiry and strike, after the perpetual and the futures."""
    order = {Kind.PERPETUAL: 0, Kind.FUTURE: 1, Kind.OPTION: 2}
    alive = [one for one in core.market.venue.instruments.values() if not one.expiry or one.expiry > core.market.now]
    rows = sorted(alive, key=lambda i: (order[i.kind], i.coin, i.expiry, i.strike, i.call))
    return m.ChainView(instruments=tuple((i.name, str(i.kind), i.expiry / MS, i.strike) for i in rows))
