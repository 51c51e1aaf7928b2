"""A venue of two coins where nobody trades but two clients of ours: one is looked at, the other makes its market."""

from __future__ import annotations

from typing import Any

from engine.paper.instruments.listing import Spec
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.client import LOGIN, PERPETUAL, Client
from tests.paper.small import START

COINS = (
    Spec(expiries=1, strikes=1, futures=1),
    Spec(coin="ETH", index=2500.0, expiries=1, strikes=1, futures=1),
)
TWO = VenueSettings(listing=COINS, crowd=None, balance=50.0, credit_limit=10**9)
SOON = VenueSettings(
    listing=(
        Spec(expiries=1, strikes=1, futures=1, minutes=2.0),
        Spec(coin="ETH", index=2500.0, expiries=1, strikes=1, futures=1),
    ),
    crowd=None, balance=50.0, credit_limit=10**9,
)  # fmt: skip
MIDDLE = 100_000.0


class Desk(Client):
    """Client "paper"; `other` is the second one."""

    def __init__(self, settings: VenueSettings = TWO) -> None:
        super().__init__(PaperVenue(1, START, settings, credentials={"paper": "paper", "other": "other"}))
        self.other = Client(self.venue, login=False)
        self.other.call("public/auth", **(LOGIN | {"client_id": "other", "client_secret": "other"}))
        self.exchange = self.venue.markets["BTC"].exchange
        self.option = next(i.name for i in self.exchange.instruments if i.call)

    def mark(self, name: str) -> float:
        return float(self.call("public/ticker", instrument_name=name)["mark_price"])

    def near(self, name: str, ticks: int) -> float:
        """A price so many ticks from the mark, on the grid."""
        exchange = self.venue.markets[name[:3]].exchange
        instrument = exchange.instruments[exchange.number[name]]
        units = max(instrument.floor_tick(self.mark(name) / instrument.tick), 1)
        for _ in range(abs(ticks)):
            units = instrument.step(units, 1 if ticks > 0 else -1)
        return instrument.price(units)

    def rest(self, side: str = "buy", name: str = PERPETUAL, ticks: int = -20, **more: Any) -> dict[str, Any]:
        """An order of ours that stays in the book."""
        wanted = {"instrument_name": name, "amount": 10.0 if "PERP" in name else 1.0, "price": self.near(name, ticks)}
        order: dict[str, Any] = self.call(f"private/{side}", **(wanted | more))["order"]
        return order

    def trade(self, side: str = "buy", name: str = PERPETUAL, amount: float | None = None) -> dict[str, Any]:
        """We take what the other client has just offered at the mark."""
        amount = amount or (100.0 if "PERP" in name else 1.0)
        price, against = self.near(name, 0), "sell" if side == "buy" else "buy"
        offer = {"instrument_name": name, "amount": amount, "price": price}
        self.other.call(f"private/{against}", **offer)
        done: dict[str, Any] = self.call(f"private/{side}", **offer, time_in_force="immediate_or_cancel")
        assert done["order"]["order_state"] == "filled"
        return done


def lived() -> Desk:
    """A market with something behind it: prints, an hour of funding, an expiry, an announcement."""
    desk = Desk(SOON)
    desk.option = min((i for i in desk.exchange.instruments if i.call), key=lambda i: i.expiry or 0).name
    for name in (PERPETUAL, desk.option, "ETH-PERPETUAL"):
        desk.trade(name=name)
    desk.wait(36 * 60.0)
    for client, name in ((desk, "paper"), (desk.other, "other")):  # tokens have expired meanwhile
        client.call("public/auth", **(LOGIN | {"client_id": name, "client_secret": name}))
    desk.option = max((i for i in desk.exchange.instruments if i.call), key=lambda i: i.expiry or 0).name
    for name in (PERPETUAL, desk.option):
        desk.trade(name=name)
    desk.venue.command("announce", b'{"title": "a"}', desk.venue.now)
    desk.wait(1.0)
    return desk
