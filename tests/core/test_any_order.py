"""Odd things in any order: whatever is told, what the smiles say stays sound."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import msgspec
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine import black
from engine.core.quoted import OLD_NS
from engine.core.smiles import Smiles
from engine.domain import DAY_NS, MINUTE_NS, NS, YEAR_NS, Instrument, instrument_of
from engine.market.state import Venue
from engine.market.told import Quote, vol_of
from engine.surface import delivery
from engine.surface.factors import factors, index, named
from engine.surface.surface import joined
from engine.surface.svi import least_g

T0 = 1_772_436_600 * NS
COINS = {"BTC": 60_000.0, "ETH": 2_000.0}
ENDS = (20 * MINUTE_NS, 45 * MINUTE_NS, DAY_NS, 9 * DAY_NS, 30 * DAY_NS)
SHARES = (0.6, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.25, 1.6)
K = np.linspace(-1.5, 1.5, 61)

Bend = Callable[[Quote, Instrument], Quote | None]


def but(**fields: float | str | None) -> Bend:
    return lambda quote, _: msgspec.structs.replace(quote, **fields)


def crossed(quote: Quote, _: Instrument) -> Quote:
    return msgspec.structs.replace(quote, bid=quote.ask, ask=quote.bid, bid_iv=quote.ask_iv, ask_iv=quote.bid_iv)


BENDS: dict[str, Bend] = {
    "as it is": but(),
    "no bids": but(bid=None, bid_iv=None),
    "no asks": but(ask=None, ask_iv=None),
    "neither": but(bid=None, ask=None, bid_iv=None, ask_iv=None),
    "crossed": crossed,
    "no marks": but(mark=None, mark_iv=None),
    "high": but(bid_iv=9.0, ask_iv=9.9, mark_iv=9.8),
    "low": but(bid_iv=1e-6, ask_iv=2e-6, mark_iv=1e-9),
    "no forward": but(forward=None),
    "another forward": but(forward=1e-8),
    "a far forward": but(forward=1e8),
    "no average": but(estimated=None),
    "an odd average": but(estimated=1e-8),
    "halted": but(state="halted"),
    "locked": but(state="locked"),
    "puts": lambda quote, one: None if one.call else quote,
    "one": lambda quote, one: quote if one.call and one.name.endswith(("-60000-C", "-2000-C")) else None,
    "silent": lambda quote, one: None,
}


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.t, self.number = T0, 0
        self.venue, self.smiles = Venue("BTC"), Smiles()
        self.level = dict(COINS)

    @initialize()
    def begin(self) -> None:
        for coin, end in itertools.product(COINS, ENDS[:4]):
            self.listed(coin, end)

    def listed(self, coin: str, end: int) -> None:
        for strike, side in itertools.product(SHARES, "CP"):
            name = f"{coin}-27MAR26-{round(COINS[coin] * strike)}-{side}"
            one = msgspec.structs.replace(instrument_of(name), name=f"{coin}-{end}-{name[12:]}", expiry=T0 + end)
            self.venue.instruments[one.name] = one

    @rule()
    def another_expiry(self) -> None:
        for coin in COINS:
            self.listed(coin, ENDS[4])

    @rule(coin=st.sampled_from([*COINS]), share=st.sampled_from([0.7, 0.99, 1.0, 1.01, 1.3]))
    def the_forward_moves(self, coin: str, share: float) -> None:
        self.level[coin] = min(max(self.level[coin] * share, 0.3 * COINS[coin]), 3.0 * COINS[coin])

    @rule(
        coin=st.sampled_from([*COINS]), end=st.sampled_from(ENDS), bend=st.sampled_from([*BENDS]),
        vol=st.sampled_from([0.05, 0.4, 0.7, 3.0]), half=st.sampled_from([1e-5, 1e-4, 2e-3]), late=st.booleans(),
        noise=st.sampled_from([0.0, 0.3]),
    )  # fmt: skip
    def told(self, coin: str, end: int, bend: str, vol: float, half: float, late: bool, noise: float) -> None:
        """One expiry oddly, the coin's others as usual."""
        forward = self.level[coin]
        for place, one in enumerate(self.venue.instruments.values()):
            odd = one.expiry == T0 + end
            stamp = self.t - (90 * NS if late and odd else 0)
            if one.coin != coin or one.expiry <= stamp:
                continue
            level = vol * (1.0 + noise * math.sin(37.0 * place)) if odd else 0.5
            own = level + 0.2 * math.log(one.strike / forward) ** 2
            quote = _quote(one, stamp, forward, own, half if odd else 1e-4)
            bent = BENDS[bend](quote, one) if odd else quote
            if bent is not None:
                self.venue.quotes[one.name] = bent
        self.goes_on(0.1, 10)

    @rule(coin=st.sampled_from([*COINS]), word=st.sampled_from(["open", "halted", "locked"]))
    def a_coin_is_told_to_be(self, coin: str, word: str) -> None:
        for one in self.venue.instruments.values():
            if one.coin == coin:
                self.venue.states[one.name] = word

    @rule(seconds=st.sampled_from([0.1, 1.0, 1.0, 15.0, 70.0, 700.0]), steps=st.sampled_from([1, 12]))
    def goes_on(self, seconds: float, steps: int) -> None:
        for _ in range(steps):
            self.t, self.number = self.t + round(seconds / steps * NS), self.number + 1
            self.smiles.step(self.venue, self.t, self.number)

    @rule(end=st.sampled_from(ENDS[:2]), before=st.sampled_from([1800.5, 1799.5, 650.0, 1.0, 0.0, -1.0]))
    def it_is_nearly_over(self, end: int, before: float) -> None:
        self.t = max(self.t, T0 + end - round(before * NS))
        self.goes_on(0.5, 5)

    # ------------------------------------------------------------ what holds

    @invariant()
    def smiles_are_free_of_arbitrage_and_say_what_they_are(self) -> None:
        for surface in self.smiles.surfaces.values():
            for expiry, fit in surface.fits.items():
                assert expiry > self.smiles.now
                assert fit.note or fit.source == "quotes"
                assert (fit.slice is None) == (fit.source == "none")
                if fit.slice is not None:
                    assert least_g(fit.slice) >= 0.0
                    assert all(0.0 < iv < 100.0 for iv in fit.ivs(np.array([fit.lowest_k, 0.0, fit.highest_k])))
                if fit.source == "quotes":
                    error = fit.error((fit.lowest_k + fit.highest_k) / 2.0)
                    assert error is not None
                    assert 0.0 < error < math.inf
            levels = [np.array([rung.w(k) for k in K]) for rung in surface.rungs(self.smiles.now)]
            for near, far in itertools.pairwise(levels):
                assert (far >= near * (1.0 - 1e-9)).all()

    @invariant()
    def fair_prices_are_known_or_none(self) -> None:
        smiles, now = self.smiles, self.smiles.now
        for one in self.venue.instruments.values():
            fair, fit = smiles.fair(one, self.venue, now), smiles.surface(one.coin).fit(one.expiry)
            if fair is None:
                continue
            assert fit is not None
            assert joined(fit)
            assert one.expiry > now
            assert now - fit.t < OLD_NS or delivery.begun(one.expiry, now)
            assert 0.0 <= fair < math.inf
            assert fair <= 1.0 or not one.call

    @invariant()
    def factors_are_finite_and_those_of_old_smiles_are_not_foretold(self) -> None:
        for coin, surface in self.smiles.surfaces.items():
            values = named(factors(surface, self.smiles.now), index(surface, self.smiles.now))
            assert all(math.isfinite(value) for value in values.values())
            outlook = self.smiles.outlook.get(coin)
            for name in outlook.ahead if outlook else ():
                assert math.isfinite(outlook.ahead[name]) if outlook else True

    @invariant()
    def it_goes_on_exactly_from_its_dump(self) -> None:
        dump = self.smiles.dump()
        again = Smiles.load(msgspec.msgpack.decode(msgspec.msgpack.encode(dump)))
        if self.number % 3 == 0:
            self.smiles = again
        assert msgspec.msgpack.encode(again.dump()) == msgspec.msgpack.encode(dump)


def _quote(one: Instrument, t: int, forward: float, vol: float, half: float) -> Quote:
    left = one.expiry - t
    average = forward * 1.001
    begun = delivery.begun(one.expiry, t)
    fair = delivery.fair(forward, one.strike, left, vol, one.call, average)
    bid, ask = max(fair - half, 0.0) or None, fair + half
    ivs = [
        vol_of(black.implied_vol(price, forward, one.strike, left / YEAR_NS, one.call)) if price else None
        for price in (bid, ask, fair)
    ]
    return Quote(t=t, mark=fair, bid=bid, ask=ask, bid_iv=ivs[0], ask_iv=ivs[1], mark_iv=ivs[2], forward=forward,
                 estimated=average if begun else forward)  # fmt: skip


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
