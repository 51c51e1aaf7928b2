"""Forwards, smiles and factors as the desk keeps them up, step by step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import pytest

from engine import black
from engine.core.smiles import Smiles
from engine.domain import MINUTE_NS, NS, YEAR_NS, Instrument, instrument_of
from engine.market.state import Venue
from engine.market.told import Quote
from engine.surface import delivery

FORWARD, VOL, HALF = 60_000.0, 0.6, 0.0002
STRIKES = range(50_000, 71_000, 2_000)
FUTURE = instrument_of("BTC-27MAR26")
EXPIRY = FUTURE.expiry
DAY = 24 * 60 * MINUTE_NS


def chain(coin: str = "BTC", strikes: Iterable[int] = STRIKES) -> list[Instrument]:
    return [instrument_of(f"{coin}-27MAR26-{strike}-{side}") for strike in strikes for side in "CP"]


def quoted(option: Instrument, t: int, price: float, said: float | None = FORWARD) -> Quote:
    bid, ask = max(price - HALF, 0.0) or None, price + HALF
    years = (EXPIRY - t) / YEAR_NS
    bid_iv, ask_iv, mark_iv = (
        black.implied_vol(p, FORWARD, option.strike, years, option.call) if p else None for p in (bid, ask, price)
    )
    return Quote(t=t, mark=price, bid=bid, ask=ask, mark_iv=mark_iv, bid_iv=bid_iv, ask_iv=ask_iv, forward=said)


def told(t: int, *coins: str, said: float | None = FORWARD) -> Venue:
    """A chain a coin, quoted around a flat smile."""
    venue = Venue("BTC")
    for option in (one for coin in coins or ("BTC",) for one in chain(coin)):
        price = black.price(FORWARD, option.strike, (EXPIRY - t) / YEAR_NS, VOL, option.call)
        venue.instruments[option.name] = option
        venue.quotes[option.name] = quoted(option, t, price, said)
    return venue


def with_future(venue: Venue, t: int, bid: float, ask: float) -> Venue:
    venue.instruments[FUTURE.name] = FUTURE
    venue.quotes[FUTURE.name] = Quote(t=t, bid=bid, ask=ask)
    return venue


# ---------------------------------------------------------------- forwards


def test_a_forward_is_agreed_on_by_the_future_the_options_and_the_ticker() -> None:
    t = EXPIRY - 30 * DAY
    smiles = Smiles()
    smiles.step(with_future(told(t), t, FORWARD + 29.0, FORWARD + 31.0), t, 1)
    forward = smiles.forwards["BTC"][EXPIRY]
    assert [source.name for source in forward.sources] == ["future", "parity", "ticker"]
    assert [source.forward for source in forward.sources] == pytest.approx([FORWARD + 30.0, FORWARD, FORWARD])
    assert FORWARD + 15.0 < forward.value < FORWARD + 30.0  # the narrowest band counts most
    assert forward.apart_bp == pytest.approx(5.0, abs=0.01)
    assert forward.off_bp[0] > 0.0 > forward.off_bp[1]
    fit = smiles.surface("BTC").fit(EXPIRY)
    assert fit is not None
    assert fit.forward == forward.value


def test_a_silent_future_has_no_say_and_an_old_ticker_little() -> None:
    t = EXPIRY - 30 * DAY
    venue, smiles = with_future(told(t - 50 * NS), t - 61 * NS, 1.0, 2.0), Smiles()
    smiles.step(venue, t, 1)
    parity, ticker = smiles.forwards["BTC"][EXPIRY].sources
    assert (parity.name, ticker.name) == ("parity", "ticker")
    assert ticker.error == pytest.approx(FORWARD * math.hypot(1e-4, 0.9e-4 * math.sqrt(50.0)))


def test_where_no_ticker_says_a_forward_the_one_agreed_on_prices() -> None:
    t, option = EXPIRY - 30 * DAY, chain()[10]
    venue, smiles = told(t, said=None), Smiles()
    assert smiles.forward(option, venue) is None
    assert smiles.fair(option, venue, t) is None
    smiles.step(venue, t, 1)
    assert smiles.forward(option, venue) == pytest.approx(FORWARD, rel=1e-6)
    price = black.price(FORWARD, option.strike, 30 / 365, VOL, option.call)
    assert smiles.fair(option, venue, t) == pytest.approx(price, abs=HALF)


def test_nothing_is_agreed_on_without_a_source_nor_kept_after_expiry() -> None:
    t = EXPIRY - 30 * DAY
    venue, smiles = told(t, said=None), Smiles()
    smiles.step(venue, t + 61 * NS, 1)
    assert smiles.forwards == {"BTC": {}}
    unknown = smiles.surface("BTC").fits[EXPIRY]
    assert (unknown.slice, unknown.note) == (None, "no quotes for 61 s")
    smiles.step(venue, t, 2)
    assert smiles.forwards["BTC"].keys() == {EXPIRY}
    smiles.step(venue, EXPIRY, 3)
    assert smiles.forwards == {"BTC": {}}
    assert smiles.surface("BTC").fits == {}


# ---------------------------------------------------------------- silence


def test_a_smile_stands_for_ten_minutes_of_silence_and_says_so() -> None:
    t, smiles, option = EXPIRY - 30 * DAY, Smiles(), chain()[10]
    venue = told(t)

    def at(seconds: float) -> tuple[str, bool, bool]:
        now = t + round(seconds * NS)
        smiles.step(venue, now, 1)
        fit = smiles.surface("BTC").fits[EXPIRY]
        return fit.note, fit.slice is not None, smiles.fair(option, venue, now) is not None

    assert at(0.0) == ("", True, True)
    assert at(9.0) == ("", True, True)
    assert at(11.0) == ("no quotes for 11 s: the fit of 11 s ago", True, True)
    assert at(60.0) == ("no quotes for 60 s: the fit of 60 s ago", True, False)
    assert smiles.forward(option, venue) is None
    assert at(600.0) == ("no quotes for 600 s: the fit of 600 s ago", True, False)
    assert at(601.0) == ("no quotes for 601 s", False, False)
    assert smiles.surface("BTC").rungs(t + 601 * NS) == []
    venue = told(t + 700 * NS)
    assert at(700.0) == ("", True, True)


def test_nothing_is_fitted_twice() -> None:
    t, smiles, venue = EXPIRY - 30 * DAY, Smiles(), told(EXPIRY - 30 * DAY)
    smiles.step(venue, t, 1)
    fit = smiles.surface("BTC").fits[EXPIRY]
    smiles.step(venue, t + NS, 2)
    assert smiles.surface("BTC").fits[EXPIRY] is fit
    venue.quotes[chain()[0].name].t = t + NS
    smiles.step(venue, t + NS, 3)
    assert smiles.surface("BTC").fits[EXPIRY].t == t + NS


def test_an_options_own_ticker_says_its_forward_while_it_is_young() -> None:
    t, smiles, option = EXPIRY - 30 * DAY, Smiles(), chain()[10]
    venue = told(t)
    venue.quotes[option.name].forward = FORWARD + 100.0
    smiles.step(venue, t, 1)
    assert smiles.forward(option, venue) == FORWARD + 100.0
    venue = told(t + 10 * NS)
    venue.quotes[option.name] = msgspec.structs.replace(venue.quotes[option.name], t=t, forward=FORWARD + 100.0)
    smiles.step(venue, t + 10 * NS, 2)
    assert smiles.forward(option, venue) == pytest.approx(FORWARD, rel=1e-6)


def test_what_is_not_open_has_no_say_but_what_the_venue_says_of_it() -> None:
    t, smiles, venue = EXPIRY - 30 * DAY, Smiles(), told(EXPIRY - 30 * DAY)
    shut = [one for one in chain() if one.strike >= 60_000.0]
    for one in shut:
        venue.quotes[one.name] = msgspec.structs.replace(venue.quotes[one.name], state="halted", bid_iv=2.0, ask_iv=2.1)
    smiles.step(venue, t, 1)
    fit = smiles.surface("BTC").fits[EXPIRY]
    assert (fit.source, fit.quotes) == ("quotes", 5)
    assert fit.iv(0.05) == pytest.approx(VOL, abs=0.05)
    venue.states = dict.fromkeys((one.name for one in chain()), "locked")
    venue.quotes[chain()[0].name].t = t + NS
    smiles.step(venue, t + NS, 2)
    note = "too few quotes (0 two-sided; 22 of 22 options are not open): the fit of 1 s ago"
    assert smiles.surface("BTC").fits[EXPIRY].note == note


def test_an_expiry_is_forgotten_at_its_end_though_another_has_its_turn() -> None:
    t, smiles = EXPIRY - NS, Smiles()
    later = [msgspec.structs.replace(one, name=f"{one.name}!", expiry=EXPIRY + DAY) for one in chain()]
    venue = told(EXPIRY - 31 * MINUTE_NS)
    for one in later:
        price = black.price(FORWARD, one.strike, (one.expiry - t) / YEAR_NS, VOL, one.call)
        venue.instruments[one.name], venue.quotes[one.name] = one, quoted(one, t, price)
    for number in (0, 1):
        smiles.step(venue, EXPIRY - 31 * MINUTE_NS, number)
    assert smiles.surface("BTC").fits.keys() == {EXPIRY, EXPIRY + DAY}
    smiles.step(venue, EXPIRY, 2)
    assert smiles.surface("BTC").fits.keys() == {EXPIRY + DAY}
    assert EXPIRY not in smiles.forwards["BTC"]


# ---------------------------------------------------------------- the last half hour


def ending(t: int, so_far: float | None, vol: float = VOL) -> Venue:
    """A chain near the money in its last minutes, quoted as options on the average."""
    venue = Venue("BTC")
    for option in chain(strikes=range(59_800, 60_250, 50)):
        price = delivery.fair(FORWARD, option.strike, EXPIRY - t, vol, option.call, so_far or FORWARD)
        venue.instruments[option.name] = option
        quote = quoted(option, t, price)
        venue.quotes[option.name] = msgspec.structs.replace(quote, estimated=so_far, bid=price - 5e-5, ask=price + 5e-5)
    return venue


@pytest.mark.parametrize("left", [25 * MINUTE_NS, 15 * MINUTE_NS])
def test_a_fair_price_in_the_last_half_hour_knows_what_was_averaged(left: int) -> None:
    t, so_far = EXPIRY - left, 60_060.0
    venue, smiles = ending(t, so_far), Smiles()
    smiles.step(venue, t, 1)
    priced = 0
    for option in chain(strikes=range(59_800, 60_300, 100)):
        fair = smiles.fair(option, venue, t)
        if fair is not None:
            priced += 1
            assert fair == pytest.approx(venue.quotes[option.name].mark, abs=5e-5)
    assert priced == 10


def test_without_the_average_there_is_no_fair_price_in_the_last_half_hour() -> None:
    t = EXPIRY - 20 * MINUTE_NS
    smiles, option = Smiles(), instrument_of("BTC-27MAR26-60000-C")
    smiles.step(ending(t, 60_060.0), t, 1)
    assert smiles.fair(option, ending(t, 60_060.0), t) is not None
    assert smiles.fair(option, ending(t, None), t) is None
    assert smiles.fair(option, ending(t, 60_060.0), t + 60 * NS) is None  # said too long ago
    venue = ending(t, 60_060.0)
    venue.quotes[option.name].t = EXPIRY - 30 * MINUTE_NS - NS  # said before the window: that was the index
    assert smiles.fair(option, venue, EXPIRY - 30 * MINUTE_NS + NS) is None


def test_in_the_last_ten_minutes_the_last_fit_stands_and_says_so() -> None:
    t, smiles, option = EXPIRY - 15 * MINUTE_NS, Smiles(), instrument_of("BTC-27MAR26-60000-C")
    smiles.step(ending(t, 60_060.0), t, 1)
    fit = smiles.surface("BTC").fit(EXPIRY)
    assert fit is not None
    later = t + 12 * MINUTE_NS
    venue = ending(later, 60_060.0)
    smiles.step(venue, later, 2)
    held = smiles.surface("BTC").fit(EXPIRY)
    assert held == msgspec.structs.replace(fit, note="delivery is being averaged: the fit of 720 s ago")
    assert smiles.fair(option, venue, later) == pytest.approx(venue.quotes[option.name].mark, abs=2e-4)
    fresh = Smiles()
    fresh.step(venue, later, 1)
    assert fresh.fair(option, venue, later) is None


def test_the_future_and_parity_are_not_asked_while_the_average_is_made() -> None:
    t, smiles = EXPIRY - 10 * MINUTE_NS, Smiles()
    smiles.step(with_future(ending(t, 60_060.0), t, 60_030.0, 60_031.0), t, 1)
    assert [source.name for source in smiles.forwards["BTC"][EXPIRY].sources] == ["ticker"]


# ---------------------------------------------------------------- factors


def test_factors_are_taken_once_a_second_one_coin_a_step() -> None:
    t, smiles = EXPIRY - 30 * DAY, Smiles()
    taken = []
    for number in range(1, 31):
        before, now = dict(smiles.measured), t + number * NS // 10
        smiles.step(told(now, "BTC", "ETH"), now, number)
        taken.append(sum(smiles.measured[coin] != before.get(coin) for coin in smiles.measured))
    assert max(taken) == 1
    assert sum(taken) == 6
    for coin in ("BTC", "ETH"):
        assert smiles.factors[coin].keys() == {"index", *(f"{n}:{EXPIRY}" for n in ("level", "skew", "curvature"))}
        assert smiles.factors[coin]["index"] == pytest.approx(60.0, abs=1.0)
        assert len(smiles.history[coin].column("index")[0]) == 3
        assert smiles.outlook[coin].ahead.keys() == smiles.factors[coin].keys()
        assert {one.verdict for one in smiles.outlook[coin].verdicts().values()} == {"unknown yet"}


def test_factors_of_smiles_that_stand_still_are_taken_as_they_grow_old_and_once_a_minute() -> None:
    t, smiles = EXPIRY - 30 * DAY, Smiles()
    venue = told(t)
    for second in range(1, 200):
        smiles.step(venue, t + second * NS, second)
    assert ((smiles.history["BTC"].column("index")[0] - t) // NS).tolist() == [1, 61, 121, 181]


def test_a_forecast_of_a_factor_is_judged_when_its_minute_is_over() -> None:
    t, smiles = EXPIRY - 30 * DAY, Smiles()

    def judged(seconds: int) -> float:
        for second in range(seconds):
            now = t + second * NS
            smiles.step(told(now), now, second)
        return float(sum(line["count"] for line in smiles.outlook["BTC"].dump()["lines"].values()))

    assert judged(60) == 0
    assert judged(62) > 0


def test_what_is_loaded_goes_on_as_what_was_dumped() -> None:
    t, smiles = EXPIRY - 30 * DAY, Smiles()
    for number in range(40):
        now = t + number * NS // 3
        smiles.step(told(now, "BTC", "ETH"), now, number)
    again = Smiles.load(msgspec.msgpack.decode(msgspec.msgpack.encode(smiles.dump())))
    for number in range(40, 60):
        now = t + number * NS // 3
        for each in (smiles, again):
            each.step(told(now, "BTC", "ETH"), now, number)
    assert msgspec.msgpack.encode(again.dump()) == msgspec.msgpack.encode(smiles.dump())
