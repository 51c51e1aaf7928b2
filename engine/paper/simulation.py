"""The paper venue in memory, for training and evaluation: the very same exchange, crowd and protocol, no sockets."""

from __future__ import annotations

from engine.domain import Instrument
from engine.market.deribit.wire import request
from engine.paper.venue import PaperVenue, VenueSettings


class Simulation:
    """One client on a venue of its own. The client is logged in as `paper`; its frames are in order of time.

    `advance` and `request` return frames exactly as a websocket would deliver them. Requests arrive at the present
    time: latency is the caller's, by advancing before asking.
    """

    def __init__(self, seed: int, start_ns: int, settings: VenueSettings | None = None) -> None:
        self._made = (seed, start_ns, settings)
        self.venue = PaperVenue(seed, start_ns, settings, epoch=f"simulation-{seed}")
        self._line = self.venue.connect()
        login = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "paper"}
        self.request(request("login", "public/auth", login))

    @property
    def t(self) -> int:
        """The venue's time, ns."""
        return self.venue.now

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return self.venue.exchange.instruments

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

    def clone(self) -> Simulation:
        """Another market with the same past, that will go the same way for the same requests. It has a line of its
        own, logged in and subscribed to nothing."""
        twin = Simulation(*self._made)
        twin.venue.load(self.venue.dump())
        return twin
