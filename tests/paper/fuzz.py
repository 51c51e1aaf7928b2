"""A venue under frames of every sort, by several clients; what became of each is counted.

A failure is found again by its seed and number. Run at length by `python -m tests.paper.fuzz --frames 1000000`, which
prints the counts as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

import msgspec

from engine.market.deribit.rest import HttpRequest
from engine.market.deribit.wire import Garbage, Reply, decode, request
from engine.paper.instruments.listing import Spec
from engine.paper.lines import Connection
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.client import LOGIN
from tests.paper.desk import COINS
from tests.paper.frames import Sent, frames
from tests.paper.small import START, sound

CREDENTIALS = {"paper": "paper", "other": "other"}
LOGINS = ("paper", "paper", "other", "other", "", "")  # of the six lines; two are nobody's
CHECKED_EVERY = 5_000


class Counts(msgspec.Struct):
    """What became of the frames; `refused` by code."""

    frames: int = 0
    answered: int = 0
    refused: dict[int, int] = {}
    unanswered: int = 0  # a logout, or a line already closed
    pushed: int = 0
    http: int = 0
    lines_closed: int = 0
    trades: int = 0


class Run:
    """A venue with six lines. Raises AssertionError where a frame is not answered as it must be."""

    def __init__(self, specs: tuple[Spec, ...] = COINS) -> None:
        settings = VenueSettings(listing=specs, crowd=None, balance=50.0)
        self.venue = PaperVenue(1, START, settings, credentials=CREDENTIALS)
        self.counts = Counts()
        self._tokens_old = False
        self.lines = [self._line(name) for name in LOGINS]

    def send(self, sent: Sent) -> None:
        now = self.venue.now + sent.wait_ns
        self.counts.frames += 1
        if sent.line < 0:
            self._http(sent, now)
            return
        line = self.lines[sent.line]
        self.venue.receive(line, sent.data, now)
        replies = self._heard(line)
        for each in self.lines:
            if each is not line:
                assert not self._heard(each), "an answer went to another line"
        closing = line.server.closing
        assert len(replies) == 1 or (closing and not replies), f"{len(replies)} answers to {sent.data[:200]!r}"
        self._count(replies)
        for number, each in enumerate(self.lines):
            if each.server.closing:
                self._again(number)
        if self._tokens_old:
            self._log_in()

    def check(self) -> None:
        """The exchanges are as they must be."""
        for market in self.venue.markets.values():
            sound(market.exchange)

    def done(self) -> Counts:
        self.check()
        fills = (market.exchange.fills for market in self.venue.markets.values())
        self.counts.trades = sum(len(own) for each in fills for own in each.values())
        return self.counts

    def _log_in(self) -> None:
        """Tokens have run out, or a frame has logged a line in as somebody else."""
        self._tokens_old = False
        for line, name in zip(self.lines, LOGINS, strict=True):
            if name:
                self._auth(line, name)

    def _auth(self, line: Connection, name: str) -> None:
        params = LOGIN | {"client_id": name, "client_secret": name}
        self.venue.receive(line, request(0, "public/auth", params), self.venue.now)
        self._heard(line)

    def _line(self, name: str) -> Connection:
        line = self.venue.connect()
        if name:
            self._auth(line, name)
        return line

    def _again(self, number: int) -> None:
        self.counts.lines_closed += 1
        self.venue.drop(self.lines[number], self.venue.now)
        self.lines[number] = self._line(LOGINS[number])

    def _heard(self, line: Connection) -> list[Reply]:
        said = [decode(frame) for _, frame in line.take()]
        bad = [each for each in said if isinstance(each, Garbage)]
        assert not bad, f"the venue said what cannot be read: {bad}"
        replies = [each for each in said if isinstance(each, Reply)]
        self.counts.pushed += len(said) - len(replies)
        return replies

    def _count(self, replies: list[Reply]) -> None:
        if not replies:
            self.counts.unanswered += 1
            return
        error = replies[0].error
        if error is None:
            self.counts.answered += 1
        else:
            self._tokens_old |= error.code == 13009
            self.counts.refused[error.code] = self.counts.refused.get(error.code, 0) + 1

    def _http(self, sent: Sent, now: int) -> None:
        asked = HttpRequest("POST" if sent.data else "GET", sent.target, sent.data, sent.authorization)
        status, body = self.venue.http(asked, now)
        reply = decode(body)
        assert isinstance(reply, Reply), body[:200]
        assert (status == 200) == (reply.error is None), (status, body[:200])
        self.counts.http += 1
        self._count([reply])


def run(seed: int, n: int, tell: Callable[[int], None] = lambda done: None) -> Counts:
    """Send `n` frames, checking now and then; the frame at fault is said."""
    fuzz = Run()
    for number, sent in enumerate(frames(seed, n)):
        try:
            fuzz.send(sent)
        except Exception as error:
            error.add_note(f"seed {seed}, frame {number}: {sent}")
            raise
        if number % CHECKED_EVERY == CHECKED_EVERY - 1:
            fuzz.check()
            tell(number + 1)
    return fuzz.done()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    counts = run(given.seed, given.frames, lambda done: print(f"{done} frames", file=sys.stderr))
    print(json.dumps({"seed": given.seed} | msgspec.to_builtins(counts)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
