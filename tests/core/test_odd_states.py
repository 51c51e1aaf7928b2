"""What the engine does when the market is odd: the real core and the real venue, and a wire that bends what is said.

Whatever comes: no exception, every view can be written and read, what is not known is None, a smile that is not of
fresh quotes says why, and the state goes on exactly from its dump.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.config import STEP_NS
from engine.core import Core
from engine.core.quoted import OLD_NS
from engine.domain import NS, Instrument
from engine.paper.crowd.nobody import Nobody
from engine.paper.instruments.listing import Ladder, Spec
from engine.paper.venue import VenueSettings
from engine.surface import delivery
from engine.surface.svi import least_g
from tests.link import START, World

EIGHT = 1_772_438_400 * NS  # 08:00 UTC of the day that `START` is of

Ticker = dict[str, Any]
Bend = Callable[[Ticker], Ticker | None]


def as_said(ticker: Ticker) -> Ticker:
    return ticker


class Wire(World):
    """`warp` sees every option's ticker on its way to us: it changes it, or loses it (None)."""

    warp: Bend = staticmethod(as_said)

    def deliver(self) -> None:
        while self._inbox and self.up:
            data = self._bent(self._inbox.pop(0))
            if data:
                self.take(m.Frame, data=data)

    def _bent(self, data: bytes) -> bytes:
        if b'"ticker.' not in data or b"option_type" in data:
            return data
        frame = msgspec.json.decode(data)
        if "params" not in frame or not frame["params"]["channel"].startswith("ticker."):
            return data
        if frame["params"]["data"]["instrument_name"][-2:] not in ("-C", "-P"):
            return data
        ticker = self.warp(frame["params"]["data"])
        frame["params"]["data"] = ticker
        return b"" if ticker is None else msgspec.json.encode(frame)


def begun(minutes: float = 0.0, expiries: int = 2, start: int = START) -> Wire:
    """With an expiry in so many minutes strikes are close to each other, so that some of its options are worth a
    price."""
    spec = Spec(expiries=expiries, strikes=9, futures=1, minutes=minutes)
    if minutes:
        spec = msgspec.structs.replace(spec, ladders=(Ladder(0.0005, 4, 0.001, 1), Ladder(0.02, 2, 0.05, 1)))
    world = Wire(settings=VenueSettings(listing=(spec,)), start=start)
    world.connect()
    world.run(2.5)
    return world


def chain(world: World, expiry: int) -> list[Instrument]:
    return list(world.core.market.venue.options_of(expiry))


def state(world: World, word: str, **which: str) -> None:
    status, _ = world.venue.command("state", msgspec.json.encode({"state": word, **which}), world.now)
    assert status == 200


# ---------------------------------------------------------------- what holds whatever comes


def sound(world: World) -> m.SurfaceView:
    core = world.core
    shown = view.surface(core)
    watch = view.Watch()
    watch.look(core)
    for each in (shown, view.chain(core), view.risk(core), watch.view(core), view.desk(core), view.status(core)):
        assert msgspec.json.decode(msgspec.json.encode(each), type=type(each)) == each  # NaN would come back as null
    for smile in shown.smiles:
        _says_what_it_is(smile)
    for name, instrument in core.market.venue.instruments.items():
        _fair_is_known_or_none(world, instrument)
        if name in core.market.venue.focus:
            assert view.ladder(core, name) is not None
    for surface in core.market.smiles.surfaces.values():
        for fit in surface.fits.values():
            assert fit.slice is None or fit.source == "flat" or least_g(fit.slice) >= 0.0
            assert not fit.doubt or fit.source in ("quotes", "marks")
    again = Core.load(msgspec.msgpack.decode(msgspec.msgpack.encode(core.dump())), world.weights)
    assert again.digest() == core.digest()
    return shown


def _says_what_it_is(smile: m.Smile) -> None:
    assert smile.note or smile.source == "quotes", smile
    assert (smile.source == "none") == (smile.shape is None) == (not smile.curve_iv)
    assert all(0.0 < iv < 1e4 for iv in smile.curve_iv)
    assert all(error >= 0.0 for error in smile.curve_error)  # to so many digits
    for point in smile.points:
        for iv in (point.bid_iv, point.ask_iv, point.mark_iv):
            assert iv is None or 0.0 < iv < 999.0


def _fair_is_known_or_none(world: World, instrument: Instrument) -> None:
    market = world.core.market
    fair, fit = market.fair(instrument.name), market.surface(instrument.coin).fit(instrument.expiry)
    if fair is None:
        return
    assert math.isfinite(fair)
    assert fair >= 0.0
    assert fit is not None
    assert fit.source in ("quotes", "marks")
    assert market.now < instrument.expiry
    assert market.now - fit.t < OLD_NS or delivery.begun(instrument.expiry, market.now)
    assert market.forward(instrument) is not None


def smile_of(world: World, expiry: int) -> m.Smile:
    return next(smile for smile in sound(world).smiles if smile.expiry_ms * 1_000_000 == expiry)


def priced(world: World, expiry: int) -> int:
    return sum(world.core.market.fair(i.name) is not None for i in chain(world, expiry))


@pytest.fixture(scope="module")
def usual() -> Wire:
    """Shared by the scenes that leave no trace once the market is itself again."""
    return begun()


# ---------------------------------------------------------------- tickers that say odd things


def only(keep: Callable[[str], bool]) -> Bend:
    return lambda ticker: ticker if keep(ticker["instrument_name"]) else None


def with_(**fields: Any) -> Bend:
    return lambda ticker: ticker | fields


def crossed(ticker: Ticker) -> Ticker:
    swapped = {"best_bid_price": "best_ask_price", "best_ask_price": "best_bid_price", "bid_iv": "ask_iv",
               "ask_iv": "bid_iv"}  # fmt: skip
    return ticker | {name: ticker.get(other) for name, other in swapped.items()}


def forward_times(share: float) -> Bend:
    return lambda ticker: ticker | {"underlying_price": ticker["underlying_price"] * share}


NOTHING = {"best_bid_price": 0.0, "best_ask_price": 0.0, "bid_iv": 0.0, "ask_iv": 0.0}
FEW = "too few quotes (0 two-sided): the fit of"
ODD: dict[str, tuple[Bend, str]] = {
    "no asks": (with_(best_ask_price=0.0, best_ask_amount=0.0, ask_iv=0.0), FEW),
    "no bids": (with_(best_bid_price=None, best_bid_amount=None, bid_iv=None), FEW),
    "neither": (with_(**NOTHING), FEW),
    "crossed": (crossed, ""),  # too few, unless bid and ask are the same
    "ivs of 999 %": (with_(bid_iv=999.0, ask_iv=999.0, mark_iv=999.0), FEW),
    "ivs beyond all measure": (with_(bid_iv=1e300, ask_iv=1e308, mark_iv=-7.0), FEW),
    "ivs below nothing": (with_(bid_iv=-20.0, ask_iv=-10.0, mark_iv=0.0), FEW),
    "no forward": (with_(underlying_price=None), ""),  # put–call parity and the future still say one
    "a forward of nothing": (with_(underlying_price=0.0), ""),
    "a negative forward": (with_(underlying_price=-1e5), ""),
    "a forward beyond measure": (with_(underlying_price=1e300), ""),
    "a forward of next to nothing": (with_(underlying_price=1e-300), ""),
    "a forward 30 % up": (forward_times(1.3), ""),
    "a forward 30 % down": (forward_times(0.7), ""),
    "halted on the ticker": (with_(state="halted"), "too few quotes (0 two-sided; 18 of 18 options are not open)"),
}


@pytest.mark.parametrize("what", ODD)
def test_tickers_that_say_odd_things(usual: Wire, what: str) -> None:
    usual.warp, note = ODD[what]
    usual.run(2.0)
    for smile in sound(usual).smiles:
        assert note in smile.note
        assert smile.source == "quotes"  # fitted, or the fit of a moment ago, as its note says
    usual.warp = as_said
    usual.run(2.0)
    assert [(smile.source, smile.note) for smile in sound(usual).smiles] == [("quotes", ""), ("quotes", "")]


def test_nan_is_no_json_and_is_counted_as_garbage(usual: Wire) -> None:
    before = usual.core.market.venue.garbage
    usual.say(b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.X.100ms","data":{"mark_iv":NaN}}}')
    assert usual.core.market.venue.garbage == before + 1
    sound(usual)


def test_tickers_out_of_order_change_nothing_much(usual: Wire) -> None:
    kept: list[Ticker] = []

    def late(ticker: Ticker) -> Ticker:
        kept.append(ticker)
        return kept.pop(0) if len(kept) > 7 and ticker["timestamp"] % 3 else kept.pop()

    usual.warp = late
    usual.run(3.0)
    assert {smile.source for smile in sound(usual).smiles} == {"quotes"}
    usual.warp = as_said
    usual.run(1.0)


# ---------------------------------------------------------------- chains of little, from the start


def first(bend: Bend, seconds: float = 2.0) -> Wire:
    """A market that is odd from its first word on."""
    world = Wire(settings=VenueSettings(listing=(Spec(expiries=2, strikes=9, futures=1),)))
    world.warp = bend
    world.connect()
    world.run(seconds)
    return world


def test_an_empty_chain_says_that_nothing_was_quoted() -> None:
    world = first(lambda _: None)
    for smile in sound(world).smiles:
        assert (smile.source, smile.note, smile.atm_iv) == ("none", "no quotes yet", None)
        assert priced(world, round(smile.expiry_ms) * 1_000_000) == 0


def test_one_quote_says_a_level_and_prices_nothing() -> None:
    world = first(only(lambda name: name.endswith("-100000-C")))
    for smile in sound(world).smiles:
        assert smile.source == "flat"
        assert smile.note[:15] == "too few quotes "
        assert ": flat at the median" in smile.note
        assert smile.curve_error == ()
    assert all(world.core.market.fair(name) is None for name in world.core.market.venue.instruments)


def test_one_sided_everywhere_the_marks_are_fitted_and_say_so() -> None:
    world = first(with_(best_ask_price=0.0, best_ask_amount=0.0, ask_iv=0.0))
    for smile in sound(world).smiles:
        assert (smile.source, smile.rms_bp, smile.curve_error) == ("marks", None, ())
        assert "fitted to the venue's marks" in smile.note


def test_an_expiry_with_only_puts_has_its_smile() -> None:
    world = first(only(lambda name: name.endswith("-P")))
    for smile in sound(world).smiles:
        assert smile.source == "quotes"
        assert all(not point.call for point in smile.points if point.bid_iv)


def test_without_any_forward_nothing_is_known() -> None:
    silent = with_(underlying_price=None, best_bid_price=0.0, bid_iv=0.0)
    world = first(silent)
    for expiry in world.core.market.venue.expiries():
        world.core.market.venue.quotes.pop("BTC-" + chain(world, expiry)[0].name.split("-")[1], None)
    shown = sound(world)
    without = [smile for smile in shown.smiles if smile.code not in {row.code for row in shown.forwards}]
    assert without
    for smile in without:
        assert (smile.source, smile.note) == ("none", "no forward")


def test_an_option_without_a_strike_is_not_listed() -> None:
    world = begun()
    rows = [
        {"instrument_name": f"BTC-27MAR26-{strike}-C", "kind": "option", "base_currency": "BTC",
         "quote_currency": "BTC", "tick_size": 0.0001, "min_trade_amount": 0.1, "contract_size": 1.0,
         "expiration_timestamp": stamp, "strike": strike, "option_type": "call"}
        for strike, stamp in ((0.0, 1_774_598_400_000), (-5.0, 1_774_598_400_000), (1e5, 0), (1e5, 10**18))
    ]  # fmt: skip
    before = set(world.core.market.venue.instruments)
    ask = next(call for call in world.sent if call.method == "public/get_instruments")
    world.core.market.venue.awaiting[ask.id] = ask.method
    world.say(msgspec.json.encode({"jsonrpc": "2.0", "id": ask.id, "result": rows}))
    assert set(world.core.market.venue.instruments) == before
    sound(world)


# ---------------------------------------------------------------- states of the market


def test_a_halted_instrument_is_left_out_and_says_so() -> None:
    world = begun()
    near, _ = world.core.market.venue.expiries()
    halted = [option.name for option in chain(world, near)[:4]]
    for name in halted:
        state(world, "halted", instrument_name=name)
    world.run(1.5)
    smile = smile_of(world, near)
    assert (smile.source, smile.note) == ("quotes", "")
    assert {point.state for point in smile.points if point.instrument in halted} == {"halted"}
    fit = world.core.market.surface("BTC").fit(near)
    assert fit is not None
    assert fit.quotes <= 7  # of nine strikes two are halted


@pytest.mark.parametrize("word", ["locked", "halted", "inactive"])
def test_a_locked_coin_keeps_its_smiles_for_a_while_and_says_why(word: str) -> None:
    world = begun()
    state(world, word, currency="BTC")
    world.run(2.0)
    for smile in sound(world).smiles:
        assert "not open" in smile.note
        assert "the fit of" in smile.note
    state(world, "open", currency="BTC")
    world.run(4.0)  # makers come back
    assert {smile.source for smile in sound(world).smiles} == {"quotes"}
    assert all("not open" not in smile.note for smile in sound(world).smiles)


def test_a_feed_that_stops_is_old_after_a_while_and_fresh_when_it_is_back() -> None:
    world = begun()
    expiry = world.core.market.venue.expiries()[0]
    assert priced(world, expiry) == 18
    assert world.core.market.smiles.outlook["BTC"].ahead
    world.warp = lambda _: None
    world.run(15.0)
    smile = smile_of(world, expiry)
    assert (smile.source, smile.note[:13]) == ("quotes", "no quotes for")
    world.run(50.0)
    smile = smile_of(world, expiry)
    assert smile.note.startswith("no quotes for 6")
    assert smile.note.endswith("s ago")
    assert priced(world, expiry) == 0
    shown = sound(world)
    assert {name for row in shown.forwards for name, _, _ in row.sources} <= {"future"}
    assert {row.ahead for row in shown.factors} == {None}
    world.warp = as_said
    world.run(2.5)
    assert (smile_of(world, expiry).note, priced(world, expiry)) == ("", 18)
    assert all(row.ahead is not None for row in sound(world).factors)


def test_a_lost_line_and_a_restarted_venue() -> None:
    world = begun()
    world.disconnect()
    world.run(12.0)
    assert all(smile.note.startswith("no quotes for") for smile in sound(world).smiles)
    world.restart_venue()
    world.connect()
    world.run(3.0)
    assert {smile.note for smile in sound(world).smiles} == {""}


# ---------------------------------------------------------------- an expiry comes, and goes


def test_the_last_half_hour_begins() -> None:
    world = begun(minutes=30.2)
    expiry = world.core.market.venue.expiries()[0]
    before = {i.name: world.core.market.fair(i.name) for i in chain(world, expiry)}
    assert (smile_of(world, expiry).note, None in before.values()) == ("", False)
    while not delivery.begun(expiry, world.now):
        world.run(1.0)
    sound(world)
    world.run(2.5)
    smile = smile_of(world, expiry)
    assert (smile.source, smile.note) == ("quotes", "delivery is being averaged")
    for option in chain(world, expiry):
        fair = world.core.market.fair(option.name)
        assert fair is not None
        assert fair == pytest.approx(before[option.name], abs=8.0)  # ticks: it goes on from there
    fitted = [p for p in smile.points if p.bid_iv and p.ask_iv and p.fit_iv]
    assert len(fitted) >= 4
    for point in fitted:  # whiskers and fit are of one kind
        assert point.bid_iv is not None
        assert point.ask_iv is not None
        assert point.fit_iv is not None
        wide = point.ask_iv - point.bid_iv
        assert point.bid_iv - wide <= point.fit_iv <= point.ask_iv + wide


class Asleep(Nobody):
    """A crowd that has gone home: its quotes stand, and time costs nothing."""

    def __init__(self, world: World) -> None:
        self.exchanges, self.next = {"BTC": world.venue.exchange}, (world.now // NS + 1) * NS


def test_minute_by_minute_to_the_end_with_a_position_in_it() -> None:
    world = begun(minutes=16.0)
    expiry = world.core.market.venue.expiries()[0]
    option = min((i for i in chain(world, expiry) if i.call), key=lambda i: abs(i.strike - 100_000.0))
    world.look(option.name)
    world.ask("private/buy", {"instrument_name": option.name, "amount": 1.0, "type": "market"})
    world.run(1.0)
    assert world.positions() == world.venue_positions() == {option.name: 10}
    assert [row.code for row in view.risk(world.core).exposures] == [option.name.split("-")[1]]
    assert smile_of(world, expiry).source == "quotes"
    world.venue.crowd = Asleep(world)
    notes = set()
    while world.now < expiry - 61 * NS:
        slowly(world, 60.0)
        smile = smile_of(world, expiry)
        notes |= {smile.note.partition(":")[0]}
        assert world.core.market.fair(option.name) is not None
        assert 0.0 < (smile.atm_iv or 0.0) < 1e4
    assert notes == {"delivery is being averaged"}
    average = world.core.market.venue.quotes[option.name].estimated
    fair = world.core.market.fair(option.name)
    assert fair is not None
    assert average is not None
    assert fair * option.tick == pytest.approx(max(1.0 - option.strike / average, 0.0), abs=5e-5)
    while world.now < expiry + 2 * NS:
        world.run(0.5 if world.now > expiry - 3 * NS else 10.0)
        sound(world)
    assert world.core.market.fair(option.name) is None
    assert expiry not in {round(smile.expiry_ms * 1e6) for smile in sound(world).smiles}
    assert expiry not in world.core.market.surface("BTC").fits
    assert expiry not in world.core.market.smiles.forwards["BTC"]
    world.run(2.0)
    assert all(f":{expiry}" not in name for name in world.core.market.smiles.factors["BTC"])
    assert view.risk(world.core).exposures == ()


def slowly(world: World, seconds: float) -> None:
    """Let time pass with a step of the clock every two seconds only."""
    end = world.now + round(seconds * NS)
    while world.now < end:
        world.venue.advance(world.now + 2 * NS - STEP_NS)
        world.run(STEP_NS / NS)


def test_a_start_within_the_last_minutes_knows_of_no_smile() -> None:
    world = begun(minutes=5.0)
    expiry = world.core.market.venue.expiries()[0]
    smile = smile_of(world, expiry)
    assert (smile.source, smile.note) == ("none", "delivery is being averaged")
    assert priced(world, expiry) == 0
    assert {s.source for s in sound(world).smiles if s is not smile and s.code != smile.code} == {"quotes"}


def test_a_new_expiry_is_listed_when_one_is_over() -> None:
    world = begun(minutes=0.2, expiries=1, start=EIGHT + 12 * 3600 * NS - 5 * NS)
    known = set(world.core.market.venue.expiries())
    world.until(lambda: set(world.core.market.venue.expiries()) - known)
    (new,) = set(world.core.market.venue.expiries()) - known
    smile = smile_of(world, new)
    assert (smile.source, smile.note, priced(world, new)) == ("none", "no quotes yet", 0)
    world.until(lambda: (fit := world.core.market.surface("BTC").fit(new)) and fit.source == "quotes")
    world.run(1.0)
    assert smile_of(world, new).note == ""
    assert priced(world, new) == len(chain(world, new))


def test_over_the_settlement_of_the_day() -> None:
    spec = Spec(expiries=2, strikes=9, futures=1)
    world = Wire(settings=VenueSettings(listing=(spec,)), start=EIGHT - 4 * NS)
    world.connect()
    seen = set()
    while world.now < EIGHT + 5 * NS:
        world.run(0.1)
        if world.now > EIGHT - NS:
            seen |= {smile.note.partition(":")[0] for smile in view.surface(world.core).smiles}
    assert {smile.note for smile in sound(world).smiles} == {""}
    assert len(seen) > 1  # during it the smiles said why they stood
    assert any("not open" in note for note in seen)
