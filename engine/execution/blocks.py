"""Every hard block, as a function of its own: its reason in a sentence, or nothing. `BLOCKS` lists them in their order.

What is on its way counts as if it were filled (`exposure.py`). Blocks marked as liftable can be passed once by a person
who has lifted them in two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from engine.config import Bounds, Limits, Named
from engine.domain import DAY_NS, MINUTE_NS, NS, Instrument, Kind, Side, expiry_code
from engine.execution import exposure, today
from engine.execution.desk import Child, Desk
from engine.execution.picture import Picture
from engine.execution.sound import closed, unsound


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An order that somebody would like to send: lots and units. `by` is the person who sends or approves it, empty
    where the policy acts by itself; `parent` is empty for an order by hand."""

    instrument: Instrument
    side: Side
    quantity: int
    price: int
    post_only: bool
    parent: str = ""
    by: str = ""
    hedge: bool = False
    reduce_only: bool = False


def _desk_open(desk: Desk, picture: Picture, order: Wanted) -> str:
    return closed(desk, picture, order.reduce_only)


def _size(desk: Desk, _: Picture, order: Wanted) -> str:
    limits, instrument = desk.config.limits, order.instrument
    if order.quantity <= 0:
        return "the quantity is nothing"
    amount = instrument.amount(order.quantity)
    if instrument.kind is not Kind.OPTION and amount > limits.future_usd:
        return f"{amount:,.0f} USD is over the limit of {limits.future_usd:,.0f} an order"
    if instrument.kind is not Kind.OPTION:
        return _over(desk, order, "order_contracts", amount / instrument.contract, "contracts is", " an order")
    return _over(desk, order, "order_contracts", amount, "contracts is", " an order", limits.order_contracts)


def _value(desk: Desk, _: Picture, order: Wanted) -> str:
    instrument = order.instrument
    if instrument.kind is not Kind.OPTION:
        return ""
    value = instrument.amount(order.quantity) * instrument.price(order.price)
    most = desk.config.limits.order_value
    if value > most:
        return f"{value:.4f} {instrument.coin} is over the limit of {most:.12g} an order"
    return _over(desk, order, "order_value", value, f"{instrument.coin} is", " an order")


def _market_sound(desk: Desk, picture: Picture, order: Wanted) -> str:
    return unsound(picture, order.instrument.name, desk.config.limits.silence_s)


def _on_tick(_: Desk, __: Picture, order: Wanted) -> str:
    instrument = order.instrument
    if instrument.on_tick(order.price) and order.price > 0:
        return ""
    tick = instrument.price(instrument.tick_units(order.price))
    return f"the price {instrument.price(order.price):.12g} is off the tick of {tick:.12g}"


def _collar(desk: Desk, picture: Picture, order: Wanted) -> str:
    """Price collar around the mark, towards the market's side only: a bid too high, an ask too low."""
    instrument, limits = order.instrument, desk.config.limits
    quote = picture.venue.quotes.get(instrument.name)
    if quote is None or quote.mark is None:
        return f"there is no mark price of {instrument.name} to hold the price against"
    mark = quote.mark / instrument.tick
    width = _width(limits, instrument, mark)
    if order.side.sign * (order.price - mark) > width + 1e-6:
        bound = instrument.price(round(mark + order.side.sign * width))
        beyond = "above" if order.side is Side.BUY else "below"
        return f"the price {instrument.price(order.price):.12g} is {beyond} the collar at {bound:.12g}"
    return ""


def _width(limits: Limits, instrument: Instrument, mark: float) -> float:
    """Of the collar, units."""
    if instrument.kind is Kind.OPTION:
        return max(limits.collar_ticks * instrument.tick_units(mark), limits.collar_share * mark)
    return limits.collar_future_share * mark


def widest(desk: Desk, picture: Picture, instrument: Instrument, side: Side) -> int | None:
    """The worst price, on a tick, that the collar and the venue's own bounds allow; None without a mark price."""
    quote = picture.venue.quotes.get(instrument.name)
    if quote is None or quote.mark is None:
        return None
    mark = quote.mark / instrument.tick
    bounds = [mark + side.sign * _width(desk.config.limits, instrument, mark)]
    if (theirs := quote.highest if side is Side.BUY else quote.lowest) is not None:
        bounds.append(theirs / instrument.tick)
    return max(instrument.floor_tick(min(bounds)), 1) if side is Side.BUY else max(instrument.ceil_tick(max(bounds)), 1)


def _bounds(_: Desk, picture: Picture, order: Wanted) -> str:
    """The venue's own: a bid above its highest price, an ask below its lowest would come back rejected."""
    quote = picture.venue.quotes.get(order.instrument.name)
    bound = None if quote is None else quote.highest if order.side is Side.BUY else quote.lowest
    if bound is None or order.side.sign * (order.price - bound / order.instrument.tick) <= 1e-6:
        return ""
    price, beyond = order.instrument.price(order.price), "above" if order.side is Side.BUY else "below"
    return f"the price {price:.12g} is {beyond} the venue's own bound at {bound:.12g}"


def _open_orders(desk: Desk, _: Picture, order: Wanted) -> str:
    working = len(desk.live_children)
    if working >= desk.config.limits.open_orders:
        return f"{desk.config.limits.open_orders} orders are working already"
    for who, bounds, belongs in _scopes(desk, order):
        if bounds.open_orders is not None and sum(map(belongs, desk.live_children)) >= bounds.open_orders:
            return f"{bounds.open_orders} orders {who} are working already"
    return ""


def _rates(desk: Desk, picture: Picture, order: Wanted) -> str:
    limits = desk.config.limits
    recent = sum(1 for t in desk.requests if picture.now - t < 10 * NS)
    if recent >= limits.orders_per_10s:
        return f"{recent} orders in the last 10 s: the limit is {limits.orders_per_10s}"
    for who, bounds, belongs in _scopes(desk, order):
        if bounds.orders_per_10s is None:
            continue
        recent = sum(map(belongs, _since(desk, picture.now - 10 * NS)))
        if recent >= bounds.orders_per_10s:
            return f"{recent} orders {who} in the last 10 s: the limit is {bounds.orders_per_10s}"
    return ""


def _since(desk: Desk, t: int) -> Iterator[Child]:
    """Each child once for its request, and once for each amend."""
    yield from (desk.children[amend.child] for amend in desk.amends if amend.t > t)
    for child in reversed(desk.children.values()):
        if child.request.t <= t:
            return
        yield child


def _credits(desk: Desk, picture: Picture, _: Wanted) -> str:
    """What the venue still takes: it ends the session of who asks for more. Something is left for cancels."""
    limits, meter = desk.config.limits, picture.venue.meter
    if meter.share(picture.now) < limits.credits_kept:
        return f"{meter.share(picture.now):.0%} of the venue's credits are left: they are kept for cancels"
    if meter.requests_at(picture.now) < limits.cancels_kept + 1:
        return f"the venue takes {meter.rate:.12g} orders a second: what it still takes now is kept for cancels"
    return ""


def _order_to_volume(desk: Desk, picture: Picture, _: Wanted) -> str:
    limits, day = desk.config.limits, desk.day
    if day.orders < limits.orders_free or day.start != picture.now - picture.now % DAY_NS:
        return ""
    filled = today.contracts(day, picture)
    if day.orders - limits.orders_free < limits.orders_per_contract * filled:
        return ""
    return f"{day.orders} orders today for {filled:.12g} contracts filled: the venue watches the ratio"


def _self_trade(desk: Desk, picture: Picture, order: Wanted) -> str:
    """Our own orders never meet: a crossing price against an own resting order of the other side is refused, and one
    against an order that other hands have on this account."""
    for child in met(desk, order):
        price = order.instrument.price(child.bound)
        return f"it would meet our own {child.request.side} {child.request.child} at {price:.12g}"
    facing = order.side.other
    for resting in picture.venue.resting.values():
        if resting.label in desk.children or (resting.instrument, resting.side) != (order.instrument.name, facing):
            continue
        if order.side.sign * (order.price - resting.units) >= 0:
            price = order.instrument.price(resting.units)
            return f"it would meet a {facing} of this account made elsewhere, at {price:.12g}"
    return ""


def met(desk: Desk, order: Wanted) -> list[Child]:
    """Our live orders of the other side that an order would meet at its price."""
    name, facing, sign = order.instrument.name, order.side.other, order.side.sign
    return [
        child for child in desk.live_children
        if (child.request.instrument, child.request.side) == (name, facing) and sign * (order.price - child.bound) >= 0
    ]  # fmt: skip


def _position(desk: Desk, _: Picture, order: Wanted) -> str:
    """Of one instrument, by whoever; and of one trader, in any instrument."""
    limits, instrument = desk.config.limits, order.instrument
    before = desk.positions.get(instrument.name, 0)
    held = exposure.reach(before, instrument, order.side, order.quantity, desk.live_children)
    if reason := _beyond(held, named(limits.instruments, instrument.name), f"of {instrument.name}"):
        return reason
    user = desk.owner(order.parent, order.by)
    mine = [child for child in desk.live_children if _user(desk, child) == user]
    before = desk.traded.get(user, {}).get(instrument.name, 0)
    held = exposure.reach(before, instrument, order.side, order.quantity, mine)
    return _beyond(held, named(limits.traders, user), f"of {instrument.name} by {user}")


def _beyond(held: float, bounds: Bounds | None, whose: str) -> str:
    if bounds is None or bounds.position_contracts is None or held <= bounds.position_contracts + 1e-9:
        return ""
    return f"{held:.12g} contracts {whose} would be over the limit of {bounds.position_contracts:.12g}"


def _greek(greek: exposure.Greek, unit: str) -> Check:
    def check(desk: Desk, picture: Picture, order: Wanted) -> str:
        most = float(getattr(desk.config.limits, f"position_{greek}"))
        try:
            name, amount = order.instrument.name, order.instrument.amount(order.quantity)
            moved = order.side.sign * amount * exposure.greek_of(picture, name, greek)
            span = exposure.span(desk, picture, greek)
        except exposure.Unknown as unknown:
            return str(unknown)
        reached = span.high + moved if moved > 0 else span.low + moved
        if not moved or abs(reached) <= most or (reached > 0) != (moved > 0):
            return ""
        return f"the book's {greek} could become {reached:+,.6g} {unit}: the limit is {most:,.6g}"

    return check


def _short(desk: Desk, picture: Picture, order: Wanted) -> str:
    instrument, most = order.instrument, desk.config.limits.short_per_expiry
    if instrument.kind is not Kind.OPTION or order.side is Side.BUY:
        return ""
    sold = exposure.short(desk, picture, instrument, order.quantity)
    if sold <= most + 1e-9:
        return ""
    kind = "calls" if instrument.call else "puts"
    return f"{sold:.12g} {kind} of {expiry_code(instrument.expiry)} would be sold short: the limit is {most:.12g}"


def _margin(desk: Desk, picture: Picture, order: Wanted) -> str:
    """A reserve of the account's equity is never bound; what only closes binds nothing."""
    share, equity = desk.config.limits.margin_share, picture.venue.account.get("equity")
    try:
        bound = exposure.margin(desk, picture, order.instrument, order.side, order.quantity, order.price)
    except exposure.Unknown as unknown:
        return str(unknown)
    if equity is None or bound <= share * equity or bound <= picture.venue.account["margin"]:
        return ""
    return f"{bound:.4f} of {equity:.4f} {order.instrument.coin} would be bound as margin: the limit is {share:.0%}"


def _expiry(desk: Desk, picture: Picture, order: Wanted) -> str:
    instrument, minutes = order.instrument, desk.config.limits.expiry_minutes
    left = (instrument.expiry - picture.now) / MINUTE_NS
    if not instrument.expiry or left >= minutes:
        return ""
    return f"{instrument.name} expires in {left:.1f} minutes: nothing new in the last {minutes:.12g}"


def _loss(desk: Desk, picture: Picture, order: Wanted) -> str:
    earned, most = today.profit(desk.day, picture), desk.config.limits.daily_loss
    if earned is None:
        return "the day's result is not known: a mark price is missing"
    return "" if earned >= -most else f"{-earned:.4f} {order.instrument.coin} lost today: the limit is {most:.12g}"


def _repeats(desk: Desk, _: Picture, order: Wanted) -> str:
    reason = desk.tripped.get(f"{order.side} {order.instrument.name}", "")
    return f"{reason}: a person must re-arm it" if reason else ""


def _scopes(desk: Desk, order: Wanted) -> Iterator[tuple[str, Bounds, Callable[[Child], bool]]]:
    """Whose bounds an order is under beside the desk's, in words, and which children count towards them."""
    limits, name, user = desk.config.limits, order.instrument.name, desk.owner(order.parent, order.by)
    if bounds := named(limits.instruments, name):
        yield f"in {name}", bounds, lambda child: child.request.instrument == name
    if order.parent:
        yield f"of parent {order.parent}", limits.parent, lambda child: child.request.parent == order.parent
    if bounds := named(limits.traders, user):
        yield f"of {user}", bounds, lambda child: _user(desk, child) == user


def named(rows: tuple[Named, ...], name: str) -> Named | None:
    return next((row for row in rows if row.name == name), None)


def _user(desk: Desk, child: Child) -> str:
    return desk.owner(child.request.parent, child.request.by)


def _over(
    desk: Desk, order: Wanted, field: str, value: float, unit: str, each: str, desks: float | None = None
) -> str:  # fmt: skip
    """Over the desk's limit of this name, or over that of a narrower scope."""
    if desks is not None and value > desks:
        return f"{value:.12g} {unit} over the limit of {desks:.12g}{each}"
    for who, bounds, _ in _scopes(desk, order):
        most = getattr(bounds, field)
        if most is not None and value > most:
            return f"{value:.12g} {unit} over the limit of {most:.12g}{each} {who}"
    return ""


Check = Callable[[Desk, Picture, Wanted], str]
BLOCKS: tuple[tuple[str, Check, bool], ...] = (  # name, what it says, whether a person may lift it
    ("desk", _desk_open, False),
    ("size", _size, True),
    ("value", _value, True),
    ("market", _market_sound, False),
    ("tick", _on_tick, False),
    ("collar", _collar, True),
    ("bounds", _bounds, False),
    ("open orders", _open_orders, True),
    ("rate", _rates, True),
    ("credits", _credits, False),
    ("order to volume", _order_to_volume, True),
    ("own orders", _self_trade, False),
    ("position", _position, True),
    ("delta", _greek("delta", "coin"), True),
    ("gamma", _greek("gamma", "coin a USD"), True),
    ("vega", _greek("vega", "USD a vol point"), True),
    ("short", _short, True),
    ("margin", _margin, True),
    ("expiry", _expiry, True),
    ("loss", _loss, True),
    ("repeats", _repeats, False),
)
LIFTABLE = tuple(name for name, _, liftable in BLOCKS if liftable)
