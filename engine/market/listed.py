"""What the venue lists, and the last it told everyone of it: quotes, market states, prints, the index."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from engine.domain import Instrument, Kind, Side
from engine.market.deribit import wire
from engine.market.told import Print, Quote, quote_of, vol_of

PRINTS_KEPT = 60


class Listed:
    """Read by views, features and decisions; written by `Venue.observe` alone."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.instruments: dict[str, Instrument] = {}
        self.quotes: dict[str, Quote] = {}
        self.states: dict[str, str] = {}
        self.prints: dict[str, deque[Print]] = {}
        self.index: float | None = None
        self.dvol: float | None = None

    # ------------------------------------------------------------ reading

    def state_of(self, name: str) -> str:
        """Market state of an instrument: "open" unless the venue said otherwise."""
        return self.states.get(name, "open")

    @property
    def perpetual(self) -> str:
        return f"{self.coin}-PERPETUAL"

    def coins(self) -> list[str]:
        """Coins that options are listed on; a recording may hold several."""
        found = {i.coin for i in self.instruments.values() if i.kind is Kind.OPTION}
        return sorted(found, key=lambda coin: (coin != self.coin, coin))

    def expiries(self, coin: str = "") -> list[int]:
        """Option expiries of a coin (the desk's own unless said), ascending."""
        coin = coin or self.coin
        return sorted({i.expiry for i in self.instruments.values() if i.kind is Kind.OPTION and i.coin == coin})

    def forward(self, expiry: int, coin: str = "") -> float | None:
        """The venue's forward of an expiry, USD, from the freshest ticker that names it."""
        best: Quote | None = None
        for instrument in self.options_of(expiry, coin):
            quote = self.quotes.get(instrument.name)
            if quote and quote.forward and (best is None or quote.t > best.t):
                best = quote
        return best.forward if best else None

    def options_of(self, expiry: int, coin: str = "") -> Iterable[Instrument]:
        coin = coin or self.coin
        return (i for i in self.instruments.values() if i.kind is Kind.OPTION and i.expiry == expiry and i.coin == coin)

    # ------------------------------------------------------------ taking in

    def learn(self, instruments: Iterable[Instrument]) -> None:
        for instrument in instruments:
            self.instruments[instrument.name] = instrument

    def take_ticker(self, data: wire.TickerData) -> None:
        self.quotes[data.instrument_name] = quote_of(data)
        self.states[data.instrument_name] = data.state

    def take_marks(self, rows: Iterable[wire.MarkPrice]) -> None:
        for row in rows:
            quote = self.quotes.get(row.instrument_name)
            if quote is not None:
                quote.mark, quote.mark_iv = row.mark_price, vol_of(row.iv)

    def take_state(self, data: wire.StateData) -> None:
        self.states[data.instrument_name] = _STATES.get(data.state, data.state)

    def take_trade(self, data: wire.TradeData, instrument: Instrument) -> Print:
        """A public trade, kept. Raises OffGrid where its price or amount cannot be."""
        plain = not (data.block_trade_id or data.block_rfq_id or data.combo_id)
        row = Print(
            data.timestamp * wire.MS, instrument.units(data.price), instrument.lots(data.amount), Side(data.direction),
            plain, bool(data.liquidation), data.trade_id,
        )  # fmt: skip
        self.prints.setdefault(instrument.name, deque(maxlen=PRINTS_KEPT)).append(row)
        return row


_STATES = {
    "started": "open",
    "created": "open",
    "closed": "halted",
    "settled": "settlement",
    "terminated": "archivized",
}
