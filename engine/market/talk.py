"""Our side of the conversation with the venue: who we are, what we ask to hear, what we still wait for.

It makes the calls that the protocol itself needs and remembers every call until it is answered. What an answer says of
the market is for others to take in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine import messages as m
from engine.domain import NS
from engine.market.meter import Meter

PATIENCE_NS = 3 * NS  # ask again for a snapshot, or an introduction, that has not come
BEAT_S = 10
AT_ONCE = 200  # channels in one request, which is at most 32 kB
LIST = "public/get_instruments"
CLIENT = {"client_name": "tidegate", "client_version": "0.1"}


class Talk:
    """The connection as it stands. Times are ns UTC."""

    def __init__(self, coin: str, *, cancel_on_disconnect: bool) -> None:
        self.coin = coin
        self.cancel_on_disconnect = cancel_on_disconnect
        self.meter = Meter()
        self.up = False
        self.authenticated = False
        self.down_reason = "not connected yet"
        self.introduced = False  # the venue has said what it lists, on this connection
        self.listening = False  # and that it will tell us of our orders
        self.introducing = 0  # when it was last asked for both
        self.epoch = ""
        self.calls = 0  # numbers the calls made here
        self.awaiting: dict[str, str] = {}  # call id → method
        self.asked: set[str] = set()  # channels asked for

    def expect(self, call: m.Call, t: int) -> None:
        """Remember a call, so that its answer is understood and its cost counted."""
        self.awaiting[call.id] = call.method
        self.meter.spend(t, call.method)

    def call(self, method: str, params: dict[str, Any], t: int) -> m.Call:
        self.calls += 1
        call = m.Call(id=f"venue-{self.calls}", method=method, params=params)
        self.expect(call, t)
        return call

    def link(self, item: m.Link) -> None:
        """The connection came up or went down: nothing that was asked on the last one is answered any more."""
        self.up, self.authenticated, self.down_reason = item.up, item.up and item.authenticated, item.reason
        self.awaiting.clear()
        self.asked.clear()
        self.introduced = self.listening = False

    # ------------------------------------------------------------ introductions

    def introduce(self, t: int, *, account: bool) -> list[m.Effect]:
        """Who we are, what is listed, that we want to hear of our orders, and of the account unless it is known."""
        self.introducing = t
        out: list[m.Effect] = []
        if not self.introduced:
            out.append(self.call("public/hello", CLIENT, t))
            out.append(self.call("public/set_heartbeat", {"interval": BEAT_S}, t))
            out.append(self._list(t))
            if self.authenticated and self.cancel_on_disconnect:
                out.append(self.call("private/enable_cancel_on_disconnect", {"scope": "connection"}, t))
        if self.authenticated and not self.listening:
            channels = [self.own_channel, f"user.portfolio.{self.coin.lower()}"]
            out.append(self.call("private/subscribe", {"channels": channels}, t))
        if self.authenticated and not account:
            out.append(self._summary(t))
        return out

    def introduce_late(self, t: int, *, account: bool) -> list[m.Effect]:
        """What the venue refused or did not answer is asked again: a deaf desk must not trade."""
        lacking = not self.introduced or (self.authenticated and not (self.listening and account))
        late = self.up and lacking and t - self.introducing >= PATIENCE_NS
        return self.introduce(t, account=account) if late else []

    def list_anew(self, t: int) -> list[m.Effect]:
        """Ask what there is, once for all that is listed together."""
        return [self._list(t)] if self.up and LIST not in self.awaiting.values() else []

    def _list(self, t: int) -> m.Call:
        return self.call(LIST, {"currency": self.coin, "expired": False}, t)

    def _summary(self, t: int) -> m.Call:
        """What the account is worth and how much may be asked for: the portfolio's channel speaks only of changes.
        Its id is not one of the numbered, so that the answers on older tapes keep meaning what they did."""
        params = {"currency": self.coin, "extended": True}
        call = m.Call(id="venue-account", method="private/get_account_summary", params=params)
        self.expect(call, t)
        return call

    # ------------------------------------------------------------ subscriptions

    @property
    def own_channel(self) -> str:
        return f"user.changes.any.{self.coin}.raw"

    def book_channel(self, name: str) -> str:
        return f"book.{name}.{'raw' if self.authenticated else '100ms'}"

    def wanted(self, listed: Iterable[str], followed: Iterable[str]) -> set[str]:
        """The channels of a desk that knows these instruments, and follows the books and prints of some."""
        fast = "raw" if self.authenticated else "100ms"
        coin = self.coin.lower()
        out = {
            f"markprice.options.{coin}_usd",
            f"deribit_price_index.{coin}_usd",
            f"deribit_volatility_index.{coin}_usd",
            f"instrument.state.any.{self.coin}",
        }
        out |= {f"ticker.{name}.100ms" for name in listed}
        for name in followed:
            out |= {self.book_channel(name), f"trades.{name}.{fast}"}
        return out

    def turn_to(self, new: list[str], old: list[str], t: int) -> list[m.Effect]:
        """Leave the old channels and join the new."""
        self.asked = (self.asked - set(old)) | set(new)
        out: list[m.Effect] = [self._subscription("unsubscribe", old, t)] if old else []
        out += [self._subscription("subscribe", new[i : i + AT_ONCE], t) for i in range(0, len(new), AT_ONCE)]
        return out

    def renew(self, channel: str, t: int) -> list[m.Effect]:
        """Subscribing again sends no snapshot, so unsubscribe first."""
        return [self._subscription(verb, [channel], t) for verb in ("unsubscribe", "subscribe")]

    def _subscription(self, verb: str, channels: list[str], t: int) -> m.Call:
        scope = "private" if self.authenticated else "public"
        return self.call(f"{scope}/{verb}", {"channels": channels}, t)
