"""What the venue tells this account alone: its resting orders, its fills, what it is worth."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import Instrument, Side
from engine.market.deribit import wire
from engine.market.places import Places
from engine.market.told import Resting

TRADES_KEPT = 200
ENDED_KEPT = 200


class Own:
    """`account`: equity, margin, delta in coin and the time `t` they were told; empty until then."""

    def __init__(self) -> None:
        self.resting: dict[str, Resting] = {}
        self.ended: list[str] = []  # venue ids of the last orders that ended: older news of them may still come
        self.own_trades: list[str] = []  # ids of our last fills: their public prints are not the market's flow
        self.account: dict[str, float] = {}
        self.places: Places = {}  # of those that rest, by the venue's id

    def lots(self, name: str) -> dict[tuple[Side, int], int]:
        """Resting lots by side and price."""
        out: dict[tuple[Side, int], int] = {}
        for order in self.resting.values():
            if order.instrument == name:
                key = (order.side, order.units)
                out[key] = out.get(key, 0) + order.lots
        return out

    def rest(self, order: wire.OrderData, instrument: Instrument | None) -> None:
        """An order as it stands now. Raises OffGrid where its price or amount cannot be."""
        if order.order_state != "open":
            self.resting.pop(order.order_id, None)
            self.ended = [*self.ended, order.order_id][-ENDED_KEPT:]
            return
        if instrument is None or isinstance(order.price, str) or order.order_id in self.ended:
            return
        self.resting[order.order_id] = Resting(
            instrument.name, Side(order.direction), instrument.units(order.price),
            instrument.lots(order.amount) - instrument.lots(order.filled_amount), order.label,
        )  # fmt: skip

    def filled(self, trades: Iterable[wire.UserTradeData]) -> None:
        self.own_trades = [*self.own_trades, *(trade.trade_id for trade in trades)][-TRADES_KEPT:]

    def worth(self, data: wire.AccountData, t: int) -> None:
        self.account = {
            "equity": data.equity, "margin": data.initial_margin, "delta": data.delta_total, "t": float(t),
        }  # fmt: skip
