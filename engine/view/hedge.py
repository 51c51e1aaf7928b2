"""Hedging on the screen: delta by holder, the band and what it is made of, what is done now, and advice on the rest."""

from __future__ import annotations

from engine import messages as m
from engine.core import Core
from engine.domain import MINUTE_NS, MS, OPTION_FEE_CAP, Instrument, Kind, Side
from engine.execution import hedge, hedging
from engine.execution.desk import HEDGES
from engine.execution.exposure import Unknown
from engine.execution.hedge import Band, Standing
from engine.execution.hedge_advice import Advised, Aim, Offer, advise
from engine.execution.hedging import Moment

OFFERS = 60  # the tightest options that advice is made of
NO_ADVICE = m.HedgeAdvice(text="")


def hedged(core: Core) -> m.HedgeView:
    """Where the book stands and what becomes of it."""
    desk, market = core.desk, core.market
    terms, stand, moment, unknown = hedge.terms_of(desk), None, None, ""
    try:
        stand = hedge.standing(desk, market)
        moment = hedging.moment_of(desk, market)
    except Unknown as missing:
        unknown = str(missing)
    state, why = _state(core, terms.on, moment, unknown)
    proposal, index = desk.hedge_proposal, market.venue.index
    return m.HedgeView(
        t_ms=market.now / MS, on=terms.on, dial=terms.dial, waits=desk.hedge.waits, target=terms.target,
        kind=desk.config.hedging.delta,
        hedged_with=moment.instrument.name if moment else "", state=state, why=why,
        proposal=proposal.born.id if proposal else "", delta=stand.delta if stand else None,
        usd=stand.delta * index if stand and index else None, wanted=stand.wanted if stand else None,
        working=stand.working if stand else None, away=stand.away if stand else None,
        gamma=stand.gamma if stand else None, vega=stand.vega if stand else None,
        band=moment.band.half if moment else None, terms=_terms(moment.band) if moment else None,
        rows=tuple(_rows(core, stand)) if stand else (), advice=_advice(core, moment),
    )  # fmt: skip


def _state(core: Core, on: bool, moment: Moment | None, unknown: str) -> tuple[m.HedgeState, str]:
    desk, market = core.desk, core.market
    if reason := hedging.idle(desk):
        return ("blocked" if on else "off"), reason
    if moment is None:
        return "unknown", unknown
    if child := next(iter(desk.hedge_children), None):
        amount = moment.instrument.amount(child.remaining)
        return "working", f"{child.request.side} {amount:,.12g} USD of {child.request.instrument} is on its way"
    if proposal := desk.hedge_proposal:
        return "asked", proposal.reason
    try:
        wanted = hedging.want(desk, market, moment)
    except Unknown as missing:
        return "unknown", str(missing)
    if isinstance(wanted, str):
        return ("inside" if abs(moment.stand.away) <= moment.edge else "blocked"), wanted
    if market.now < desk.hedge.quiet_until:
        return "blocked", desk.hedge.reason
    return "outside", wanted.why


def _terms(band: Band) -> m.BandTerms:
    return m.BandTerms(
        half_spread=band.half_spread, fee=band.fee, fragility=band.fragility, ofi=band.ofi, friction=band.friction,
        gamma=band.gamma, spot=band.spot, whalley=band.whalley, capped=band.half < band.whalley,
    )  # fmt: skip


def _rows(core: Core, stand: Standing) -> list[m.HedgedRow]:
    """Parents in their order, then what is nobody's, then the hedges."""
    index, out = core.market.venue.index, []
    for holder, delta in sorted(stand.shares.items(), key=lambda row: (row[0] == HEDGES, row[0] == hedge.HAND, row[0])):
        parent = core.desk.parents.get(holder)
        if not delta and parent is None:
            continue
        what = parent.order.instrument if parent else "hedges" if holder == HEDGES else "by hand or elsewhere"
        out.append(m.HedgedRow(
            parent=holder if parent else "", what=what, delta=delta, usd=delta * index if index else None,
            dial=parent.order.hedge if parent else None,
        ))  # fmt: skip
    return out


# ---------------------------------------------------------------- advice on gamma and vega


def _advice(core: Core, moment: Moment | None) -> m.HedgeAdvice:
    settings = core.desk.config.hedging
    if settings.gamma_within is None and settings.vega_within is None:
        return NO_ADVICE
    if moment is None:
        return m.HedgeAdvice(text="the book's greeks are not known")
    stand = moment.stand
    aim = Aim(
        delta=stand.away + stand.target, target=stand.target, gamma=stand.gamma, vega=stand.vega,
        gamma_within=settings.gamma_within, vega_within=settings.vega_within,
    )  # fmt: skip
    if _within(aim.gamma, aim.gamma_within) and _within(aim.vega, aim.vega_within):
        return m.HedgeAdvice(text="gamma and vega are inside what is wanted")
    best = advise(aim, _offers(core), _hedge_offer(moment))
    return _told(core, best, moment)


def _within(now: float, most: float | None) -> bool:
    return most is None or abs(now) <= most


def _offers(core: Core) -> list[Offer]:
    """Options that are quoted on both sides and do not expire soon, the tightest by vega first."""
    desk, market = core.desk, core.market
    soon = market.now + round(desk.config.limits.expiry_minutes * MINUTE_NS)
    found: list[tuple[float, Offer]] = []
    for one in market.venue.instruments.values():
        near = one.kind is not Kind.OPTION or one.coin != market.venue.coin or one.expiry <= soon
        if not near and (offer := _offer(core, one)):
            found.append((offer.cost / max(offer.vega, 1e-9), offer))
    return [offer for _, offer in sorted(found, key=lambda row: row[0])[:OFFERS]]


def _offer(core: Core, one: Instrument) -> Offer | None:
    quote = core.market.venue.quotes.get(one.name)
    if quote is None or not (quote.bid and quote.ask and quote.bid_size and quote.ask_size):
        return None
    try:
        greeks = hedge.greeks_of(core.desk, core.market, one.name)
    except Unknown:
        return None
    fee = min(one.taker_fee, OPTION_FEE_CAP * (quote.bid + quote.ask) / 2.0)
    return Offer(
        name=one.name, delta=hedge.delta_of(greeks, core.desk.config.hedging), gamma=greeks.gamma, vega=greeks.vega,
        buys=quote.ask_size, sells=quote.bid_size, cost=(quote.ask - quote.bid) / 2.0 + fee,
    )  # fmt: skip


def _hedge_offer(moment: Moment) -> Offer:
    """As much of the hedge's instrument as it takes: it is deep."""
    each, band = moment.each / moment.instrument.lot, moment.band
    return Offer(name=moment.instrument.name, delta=each, gamma=0.0, vega=0.0, buys=1e12, sells=1e12,
                 cost=(band.half_spread + band.fee) * each)  # fmt: skip


def _told(core: Core, best: Advised, moment: Moment) -> m.HedgeAdvice:
    legs = [leg for name, size in best.sizes.items() if (leg := _leg(core, name, size, moment)) is not None]
    if not legs:
        return m.HedgeAdvice(text="nothing that is shown would bring it nearer")
    return m.HedgeAdvice(
        text=_words(core, best), legs=tuple(legs), cost=sum(leg.cost for leg in legs), gamma=best.gamma, vega=best.vega
    )


def _leg(core: Core, name: str, size: float, moment: Moment) -> m.AdviceLeg | None:
    """A trade, in whole lots."""
    instrument, quote = core.market.venue.instruments[name], core.market.venue.quotes[name]
    lots = round(abs(size) / instrument.lot)
    price = quote.ask if size > 0 else quote.bid
    if not lots or price is None:
        return None
    offer = _hedge_offer(moment) if name == moment.instrument.name else _offer(core, instrument)
    amount = instrument.amount(lots)
    return m.AdviceLeg(
        instrument=name, side=Side.BUY if size > 0 else Side.SELL, size=amount, price=price,
        cost=amount * offer.cost if offer else 0.0,
    )  # fmt: skip


def _words(core: Core, best: Advised) -> str:
    coin = core.market.venue.coin
    after = f"gamma {best.gamma:+.3g} and vega {best.vega:+,.0f} for {best.cost:.4g} {coin}"
    if best.reached:
        return f"brings gamma and vega inside what is wanted: {after}"
    return f"what is shown cannot bring both inside; this comes nearest: {after}"
