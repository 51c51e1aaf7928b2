"""The paper venue in memory, for training and evaluation: the very same exchange, crowd and protocol, no sockets."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.domain import Instrument
from engine.market.deribit.wire import request
from engine.paper.floor.exchange import Exchange
from engine.paper.venue import PaperVenue, VenueSettings


class Simulation:
    """One client on a venue of its own. The client is logged in as `paper`; its frames are in order of time.

    `advance` and `request` return frames exactly as a websocket would deliver them. Requests arrive at the present
    time: latency is the caller's, by advancing before asking.
    """

    def __init__(self, seed: int, start_ns: int, settings: VenueSettings | None = None) -> None:
        self._made = (seed, start_ns, settings)
        self.venue = PaperVenue(seed, start_ns, settings, epoch=f"simulation-{seed}")
        self._dial()

    @property
    def t(self) -> int:
        """The venue's time, ns."""
        return self.venue.now

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Of every coin."""
        return tuple(i for market in self.venue.markets.values() for i in market.exchange.instruments)

    @property
    def channels(self) -> list[str]:
        """What the client is subscribed to, in order."""
        return list(self._line.server.channels)

    def exchange(self, name: str) -> tuple[Exchange, int]:
        """Where an instrument trades, and its number there: for whoever may see more than a client. Raises KeyError."""
        return next((m.exchange, m.exchange.number[name]) for m in self.venue.markets.values()
                    if name in m.exchange.number)  # fmt: skip

    def subscribe(self, channels: list[str]) -> list[bytes]:
        """The answer, and each channel's opening (a book's snapshot)."""
        return self.request(request("subscribe", "private/subscribe", {"channels": channels}))

    def advance(self, to_ns: int) -> list[tuple[int, bytes]]:
        """Let the market go on to this time; every frame on the way, with its time."""
        self.venue.advance(to_ns)
        return self._line.take()

    def request(self, data: bytes) -> list[bytes]:
        """One frame of the client, now; the answer first, then what it caused."""
        self.venue.receive(self._line, data, self.venue.now)
        return [frame for _, frame in self._line.take()]

    def rewind(self, state: dict[str, Any]) -> None:
        """Be at another moment of the same market: `state` is what its venue once dumped. On a line that is new."""
        number = self._line.number
        self.venue.drop(self._line, self.venue.now)
        self.venue.load(state)
        self._dial(number)

    def _dial(self, number: int = 0) -> None:
        self._line = self.venue.connect(number)
        login = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "paper"}
        self.request(request("login", "public/auth", login))

    def clone(self, fresh: int | None = None) -> Simulation:
        """Another market with the same past, that will go the same way for the same requests; with `fresh`, the way
        that other dice lead. It has a line of its own, logged in and subscribed to nothing."""
        return Futures(self).future(fresh)


class Futures:
    """The ways on from one moment of a simulation, which stays as it is. No more than one of them at a time: they are
    all run in one venue, since loading a state costs a tenth of making a venue for it."""

    def __init__(self, simulation: Simulation) -> None:
        # a copy: what is dumped may be part of what goes on
        self._state = msgspec.msgpack.decode(msgspec.msgpack.encode(simulation.venue.dump()))
        self._made, self._listed = simulation._made, simulation.instruments
        self._twin = Simulation(*self._made)

    def future(self, fresh: int | None = None) -> Simulation:
        """Back at the moment: with `fresh` under other dice, the same for the same number; without, under its own. Ends
        the future that was given before."""
        if len(self._twin.instruments) > len(self._listed):  # it has listed more since, which cannot be undone
            self._twin = Simulation(*self._made)
        self._twin.rewind(self._state)
        if fresh is not None:
            self._twin.venue.crowd.reseed(fresh)
        return self._twin
