"""A market that stands still: one instrument, a real book from a real frame, and forecasts as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine import messages as m
from engine.config import Config
from engine.domain import NS, Instrument, instrument_of
from engine.execution.picture import Greeks
from engine.market.deribit import wire
from engine.market.state import Venue

NAME = "BTC-27MAR26-80000-C"
CALL = instrument_of(NAME)
NOW = CALL.expiry - 20 * 86400 * NS
HEADS = ("direction", "slippage", "volatility", "fill", "impact", "spread")
Levels = Sequence[tuple[float, float]]


class Still:
    """A `Picture` of plain values. Prices decimal where they go in, as the venue says them."""

    def __init__(
        self, bids: Levels = ((0.0325, 5.0), (0.032, 20.0)), asks: Levels = ((0.0335, 5.0), (0.034, 20.0)),
        instrument: Instrument = CALL,
    ) -> None:  # fmt: skip
        self.now = NOW
        self.halted = ""
        self.instrument = instrument
        self.forecasts: dict[str, m.Forecast] = {}
        self.baselines: dict[str, m.Forecast] = {}
        self.verdicts: dict[str, m.Skill] = {}
        self.micros: dict[str, float] = {}
        self.fairs: dict[str, float] = {}
        self.forwards: dict[str, float] = {}
        self.vegas: dict[str, float] = {}
        self.deltas: dict[str, float] = {}
        self.sigmas: dict[str, float] = {}
        self.sensitive: dict[str, Greeks] = {}
        self.flows: dict[str, float] = {}
        self.usual: dict[str, float] = {}
        self.stable: dict[tuple[str, int], float] = {}
        self.volume: list[tuple[int, int]] = []  # of others: time, lots
        self.before: dict[str, tuple[float, int, int]] = {}
        self.venue = Venue(instrument.coin)
        self._n = 0
        self.see(m.Started, config=Config(), code="", model="", seed=1, session="s", instruments=(instrument,))
        self.see(m.Link, up=True, authenticated=True)
        self.see(m.Focus, instruments=(instrument.name,))
        self.tell("private/subscribe", [f"user.changes.any.{instrument.coin}.raw"])
        self.tell("private/get_account_summary", {"currency": instrument.coin, "equity": 100.0, "balance": 100.0})
        self.book(bids, asks)

    def see(self, kind: Any, **fields: Any) -> None:
        self._n += 1
        self.venue.observe(kind(n=self._n, t=self.now, **fields))

    def push(self, channel: str, data: Any) -> None:
        params = {"channel": channel, "data": data}
        frame = {"jsonrpc": "2.0", "method": "subscription", "params": params}
        self.see(m.Frame, data=msgspec.json.encode(frame))

    def tell(self, method: str, result: Any) -> None:
        """The answer to the last call of this method."""
        call = [name for name, asked in self.venue.awaiting.items() if asked == method][-1]
        self.see(m.Frame, data=msgspec.json.encode({"jsonrpc": "2.0", "id": call, "result": result}))

    def book(self, bids: Levels, asks: Levels) -> None:
        """The whole book, anew."""
        name = self.instrument.name
        data = wire.BookData(
            type="snapshot", timestamp=self.now // wire.MS, instrument_name=name, change_id=self._n,
            bids=[("new", *level) for level in bids], asks=[("new", *level) for level in asks],
        )  # fmt: skip
        self.push(f"book.{name}.raw", data)

    def ticker(self, **fields: Any) -> None:
        name = self.instrument.name
        data = wire.TickerData(instrument_name=name, timestamp=self.now // wire.MS, **fields)
        self.push(f"ticker.{name}.100ms", data)

    def edge(self, *heads: str) -> None:
        """The model has an edge in these heads and in no other."""
        self.verdicts = {head: m.Skill(verdict="edge" if head in heads else "no edge") for head in HEADS}

    # what a decision may read

    def micro(self, name: str) -> float | None:
        return self.micros.get(name)

    def fair(self, name: str) -> float | None:
        return self.fairs.get(name)

    def forward(self, instrument: Instrument) -> float | None:
        return self.forwards.get(instrument.name)

    def vega_ticks(self, name: str) -> float | None:
        return self.vegas.get(name)

    def sigma_ticks(self, name: str) -> float | None:
        return self.sigmas.get(name)

    def usual_spread(self, name: str) -> float | None:
        return self.usual.get(name)

    def stable_ticks(self, name: str, seconds: int) -> float | None:
        return self.stable.get((name, seconds))

    def traded(self, _: str, start: int, end: int) -> int:
        return sum(lots for t, lots in self.volume if start < t <= end)

    def turnover(self, _: str, start: int, end: int) -> int:
        return sum(lots * 330 for t, lots in self.volume if start < t <= end)

    def stood(self, name: str) -> tuple[float, int, int] | None:
        return self.before.get(name)

    def delta(self, name: str) -> float | None:
        return self.deltas.get(name)

    def greeks(self, name: str) -> Greeks | None:
        return self.sensitive.get(name)

    def ofi(self, name: str) -> float | None:
        return self.flows.get(name)


def forecast(**fields: Any) -> m.Forecast:
    """A forecast that says nothing in particular, but for what is given."""
    usual: dict[str, Any] = {
        "t": NOW, "source": "lstm-test", "warm": True, "familiar": True, "up": 0.1, "down": 0.1, "stable": 0.8,
        "drift_ticks": 0.0, "slip_buy": slippage(1.0), "slip_sell": slippage(1.0), "impact_buy": 0.5,
        "impact_sell": 0.5, "fill_bid": 0.2, "fill_ask": 0.2, "iv_move": (-1.0, 0.0, 1.0), "spread_ticks": 2.0,
        "depth": 5.0,
    }  # fmt: skip
    return m.Forecast(**(usual | fields))


def slippage(ten: float) -> tuple[tuple[float, float, float], ...]:
    """A slippage curve that costs so many ticks at 10 contracts."""
    return tuple((0.8 * ten * size / 10, ten * size / 10, 1.3 * ten * size / 10) for size in m.SIZES)


def mirrored(said: m.Forecast) -> m.Forecast:
    """What a seller would be told where a buyer is told this."""
    lo, mid, hi = said.iv_move
    return msgspec.structs.replace(
        said, up=said.down, down=said.up, drift_ticks=-said.drift_ticks, slip_buy=said.slip_sell,
        slip_sell=said.slip_buy, impact_buy=said.impact_sell, impact_sell=said.impact_buy, fill_bid=said.fill_ask,
        fill_ask=said.fill_bid, iv_move=(-hi, -mid, -lo),
    )  # fmt: skip


def verdicts(**heads: str) -> Mapping[str, m.Skill]:
    return {head: msgspec.convert({"verdict": verdict}, m.Skill) for head, verdict in heads.items()}
