"""The lines of the paper venue's clients: what waits to be sent on each, and which of them watch what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.market.deribit.frames import notification
from engine.market.deribit.server import Server
from engine.paper.protocol.publisher import Publication, Publisher


class Connection:
    """One client's line: its side of the protocol, and what is waiting to be sent to it."""

    def __init__(self, number: int, server: Server) -> None:
        self.number, self.server = number, server
        self.frames: list[tuple[int, bytes]] = []  # (venue time, bytes), oldest first
        self.watches: dict[str, None] = {}
        self.followed = 0  # up to which change of its subscriptions

    def take(self) -> list[tuple[int, bytes]]:
        frames, self.frames = self.frames, []
        return frames


class Watchers:
    """The lines by the channels they watch. `accounts` are the accounts' numbers by name."""

    def __init__(self, publishers: Sequence[Publisher], accounts: Mapping[str, int]) -> None:
        self._publishers, self._accounts = publishers, accounts
        self._of: dict[str, list[Connection]] = {}

    def send(self, t: int, publications: Iterable[Publication]) -> None:
        """Each publication is encoded once, for all who watch its channel; private ones for their account only."""
        for channel, account, data in publications:
            watchers = self._of.get(channel)
            if not watchers:
                continue
            frame = notification(channel, data)
            for connection in watchers:
                if not account or self._accounts.get(connection.server.account) == account:
                    connection.frames.append((t, frame))

    def follow(self, connection: Connection) -> None:
        """A line may be subscribed to other channels than before: it watches those now."""
        wanted, changes = connection.server.channels, connection.server.subscribed
        if changes == connection.followed:
            return
        connection.followed = changes
        for channel in [c for c in connection.watches if c not in wanted]:
            for publisher in self._publishers:
                publisher.unwatch(channel)
            self._of[channel].remove(connection)
        for channel in [c for c in wanted if c not in connection.watches]:
            for publisher in self._publishers:
                publisher.watch(channel)
            self._of.setdefault(channel, []).append(connection)
        connection.watches = dict(wanted)
