"""Where the book's delta stands, and how far it may stray before it is hedged. Pure.

Theory of operation. There is one book, and one number that is hedged: the delta of everything held (options, futures,
the perpetual, whoever traded it), so that a hedge by hand counts, and one delta is never hedged twice. Hedges that are
on their way count as if they were filled. What a parent has filled is known to be its own (`Desk.holders`), and its
dial says what that means here: "off" leaves its delta in the book, as wanted; any other says how a hedge goes. A
hedge is one order for all, so that it goes as the most careful of those says whose delta is in the book. What belongs
to no parent (orders by hand, fills from elsewhere) has the book's own dial.

Around the target lies a band in which nothing is done: hedging costs, and a small delta is a small risk. Its half is
Whalley and Wilmott's, with the friction of the book that the hedge would be done in: half its spread, the fee, and so
much for the order flow that pushes against the hedge's side. A fragile book widens it, up to a cap.

Whatever is not known (a greek, a mark, a quote that is too old) is no zero: `Unknown` says in words what is missing,
and nothing is hedged.
"""

from __future__ import annotations

from math import cbrt

import msgspec

from engine import messages as m
from engine.config import Hedging
from engine.domain import MINUTE_NS, NS, Instrument, Kind, Side
from engine.execution.desk import HEDGES, Child, Desk
from engine.execution.exposure import Unknown
from engine.execution.picture import Greeks, Picture, touch

HAND = ""  # who holds what belongs to no parent and is no hedge
CAREFUL: tuple[m.Dial, ...] = ("manual", "semi", "auto")  # the most careful first


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How the book is hedged: the settings, and what was set since. `dial` is the book's own; `target` coin."""

    on: bool
    dial: m.Dial
    target: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Coin of delta: of the whole book, of it what is `wanted` by parents that are "off", what hedges on their way will
    add, and the target. `gamma` coin a USD, `vega` USD a vol point, of all that is held. `shares`: delta by holder;
    `expiries`: by expiry, 0 the perpetual. `dial`: how a hedge goes."""

    delta: float
    wanted: float
    working: float
    target: float
    gamma: float
    vega: float
    shares: dict[str, float]
    expiries: dict[int, float]
    dial: m.Dial

    @property
    def away(self) -> float:
        """From the target, with everything that is on its way."""
        return self.delta + self.working - self.wanted - self.target


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """`half_spread`, `fee`, `fragility`: shares of the price; `whalley` and `half`: the half-band before and after its
    bounds, coin; `ofi` as `Picture.ofi`, against the hedge's side, 0 where it goes with it."""

    half_spread: float
    fee: float
    fragility: float
    ofi: float | None
    spot: float
    gamma: float
    whalley: float
    half: float

    @property
    def friction(self) -> float:
        return self.half_spread + self.fee + self.fragility


def terms_of(desk: Desk) -> Terms:
    settings, hedge = desk.config.hedging, desk.hedge
    return Terms(
        on=settings.on if hedge.on is None else hedge.on,
        dial=hedge.dial or settings.dial,
        target=settings.target if hedge.target is None else hedge.target,
    )


# ---------------------------------------------------------------- what is held


def standing(desk: Desk, picture: Picture) -> Standing:
    """Where the book stands. Raises Unknown."""
    settings, terms = desk.config.hedging, terms_of(desk)
    delta = gamma = vega = wanted = 0.0
    shares: dict[str, float] = {}
    expiries: dict[int, float] = {}
    for name, position in desk.positions.items():
        held = holdings(desk, name, position)
        if over(picture, name) or not (position or _wanted(desk, held)):
            continue  # what a parent filled and other hands closed, or was delivered, needs no greek
        instrument, per = listed(picture, name), greeks_of(desk, picture, name)
        each = delta_of(per, settings) * instrument.lot
        for holder, lots in held.items():
            shares[holder] = shares.get(holder, 0.0) + each * lots
        delta += each * position
        gamma += per.gamma * instrument.amount(position)
        vega += per.vega * instrument.amount(position)
        wanted += each * _wanted(desk, held)
        expiries[instrument.expiry] = expiries.get(instrument.expiry, 0.0) + each * position
    return Standing(
        delta=delta, wanted=wanted, working=sum(adds(desk, picture, child) for child in desk.hedge_children),
        target=terms.target, gamma=gamma, vega=vega, shares=shares, expiries=expiries, dial=_dial(desk, terms, shares),
    )  # fmt: skip


def holdings(desk: Desk, name: str, position: int) -> dict[str, int]:
    """Signed lots of a position by who holds them; they sum to it."""
    known = desk.holders.get(name, {})
    return {**known, HAND: position - sum(known.values())}


def over(picture: Picture, name: str) -> bool:
    """Whether it has expired: it is delivered, and has no delta."""
    instrument = picture.venue.instruments.get(name)
    return instrument is not None and 0 < instrument.expiry <= picture.now


def listed(picture: Picture, name: str) -> Instrument:
    """Raises Unknown."""
    instrument = picture.venue.instruments.get(name)
    if instrument is None:
        raise Unknown(f"the venue has not listed {name}, which is held")
    return instrument


def greeks_of(desk: Desk, picture: Picture, name: str) -> Greeks:
    """Of one unit of amount. Raises Unknown."""
    quote = picture.venue.quotes.get(name)
    if quote is None:
        raise Unknown(f"there is no quote of {name}")
    age = (picture.now - quote.t) / NS
    if age > desk.config.hedging.old_s:
        raise Unknown(f"the quote of {name} is {age:.0f} s old")
    if (greeks := picture.greeks(name)) is None:
        raise Unknown(f"the greeks of {name} are not known")
    return greeks


def delta_of(greeks: Greeks, settings: Hedging) -> float:
    """Coin of delta of one unit of amount, in the kind that is hedged."""
    return greeks.coin_delta if settings.delta == "coin" else greeks.delta


def adds(desk: Desk, picture: Picture, child: Child) -> float:
    """Coin of delta that a hedge on its way will add. Raises Unknown."""
    instrument = listed(picture, child.request.instrument)
    per = delta_of(greeks_of(desk, picture, instrument.name), desk.config.hedging)
    return child.request.side.sign * instrument.amount(child.remaining) * per


def _wanted(desk: Desk, held: dict[str, int]) -> int:
    """Lots that are left to parents that are "off": what they filled, less what was closed by hand since."""
    off = sum(lots for holder, lots in held.items() if _off(desk, holder))
    free = off + held[HAND]
    return max(min(off, free), 0) if off > 0 else min(max(off, free), 0)


def _off(desk: Desk, holder: str) -> bool:
    return holder in desk.parents and desk.parents[holder].order.hedge == "off"


def _dial(desk: Desk, terms: Terms, shares: dict[str, float]) -> m.Dial:
    """The most careful of those whose delta is in the book; the book's own where that is nobody's."""
    if desk.hedge.waits:
        return "manual"
    voices: list[m.Dial] = []
    for holder, share in shares.items():
        dial = desk.parents[holder].order.hedge if holder in desk.parents else terms.dial
        if share and holder != HEDGES and dial != "off":
            voices.append(dial)
    return min(voices or [terms.dial], key=CAREFUL.index)


# ---------------------------------------------------------------- the hedge's instrument, and the band


def instrument_of(desk: Desk, picture: Picture, stand: Standing) -> Instrument:
    """What is hedged with: the perpetual, or the future of the expiry that has most of what is to be hedged. One that
    is being worked stays. Raises Unknown."""
    if begun := desk.hedge_proposal:
        return listed(picture, begun.born.instrument)
    if children := desk.hedge_children:
        return listed(picture, children[0].request.instrument)
    if desk.config.hedging.instrument == "future":
        sign = 1.0 if stand.away > 0.0 else -1.0
        most = max(stand.expiries, key=lambda expiry: sign * stand.expiries[expiry], default=0)
        if found := _future(desk, picture, most):
            return found
    if found := picture.venue.instruments.get(picture.venue.perpetual):
        return found
    raise Unknown("the venue lists no perpetual to hedge with")


def _future(desk: Desk, picture: Picture, expiry: int) -> Instrument | None:
    if expiry - picture.now < desk.config.limits.expiry_minutes * MINUTE_NS:
        return None
    venue = picture.venue
    return next(
        (i for i in venue.instruments.values() if i.kind is Kind.FUTURE and (i.expiry, i.coin) == (expiry, venue.coin)),
        None,
    )


def half_band(friction: float, spot: float, gamma: float, aversion: float) -> float:
    """Whalley and Wilmott (1997): (3/2 · λ · S Γ² / γ)^(1/3), in coin, at a rate of 0. `friction` λ: the proportional
    cost of trading; `spot` S: USD; `gamma` Γ: coin of delta a USD; `aversion` γ: of an exponential utility, per USD."""
    return cbrt(1.5 * friction * spot * gamma * gamma / aversion)


def band(desk: Desk, picture: Picture, instrument: Instrument, side: Side, gamma: float) -> Band:
    """The band for a hedge on this side of this instrument. Raises Unknown."""
    settings, quote = desk.config.hedging, picture.venue.quotes.get(instrument.name)
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    if bid is None or ask is None:
        raise Unknown(f"the book of {instrument.name} is one-sided")
    if quote is None or not quote.mark:
        raise Unknown(f"there is no mark price of {instrument.name}")
    ofi = picture.ofi(instrument.name)
    against = None if ofi is None else max(0.0, side.sign * ofi)
    half_spread, fee = (ask - bid) / (ask + bid), instrument.taker_fee
    fragility = settings.beta * (against or 0.0)
    whalley = half_band(half_spread + fee + fragility, quote.mark, gamma, settings.risk_aversion)
    finest = abs(delta_of(greeks_of(desk, picture, instrument.name), settings)) * instrument.lot
    half = max(min(max(whalley, settings.band_least), settings.band_cap), finest)
    return Band(
        half_spread=half_spread, fee=fee, fragility=fragility, ofi=against, spot=quote.mark, gamma=gamma,
        whalley=whalley, half=half,
    )  # fmt: skip
