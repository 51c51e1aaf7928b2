"""A snapshot as the tickers of its moment: its prices, its futures as forwards, volatilities solved if it has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import black
from engine.domain import MS, YEAR_NS, instrument_of
from engine.market.deribit import wire
from engine.market.told import quote_of
from engine.research.imports import open_recording, open_surface
from engine.shell import fold
from engine.shell.recording import lay
from engine.shell.replay import Replay

SOLVED, STATED = "btc_2026-08-01.json.gz", "btc_2026-05-21_quotes.json"
EXPIRIES = {SOLVED: 13, STATED: 12}


def told(path: Path) -> dict[str, wire.TickerData]:
    pushes = [wire.decode(frame) for _, frame in open_recording(path)]
    return {
        push.data.instrument_name: push.data
        for push in pushes
        if isinstance(push, wire.Push) and isinstance(push.data, wire.TickerData)
    }


@pytest.mark.parametrize("name", EXPIRIES)
def test_every_option_says_its_prices_and_what_they_come_to(name: str, shared_data: Path) -> None:
    path = shared_data / "deribit_surface" / name
    found, tickers = open_surface(path), told(path)
    assert len(tickers) == len(found.table) + EXPIRIES[name]
    for row in found.table.itertuples():
        quote, option = quote_of(tickers[row.instrument]), instrument_of(row.instrument)
        assert quote.t == found.t // MS * MS
        assert quote.forward == pytest.approx(sum(found.forwards[row.expiry]) / 2)
        for price, said, iv in ((row.bid, quote.bid, quote.bid_iv), (row.ask, quote.ask, quote.ask_iv)):
            assert said == (price if price > 0 else None)
            if name == SOLVED and iv is not None and said is not None and quote.forward is not None:
                years = (option.expiry - found.t) / YEAR_NS
                assert black.price(quote.forward, option.strike, years, iv, option.call) == pytest.approx(
                    said, abs=1e-9
                )
        if name == STATED:
            assert quote.bid_iv == pytest.approx(row.bid_iv, abs=1e-14)
            assert quote.ask_iv == pytest.approx(row.ask_iv, abs=1e-14)
        assert (quote.mark, quote.delta, quote.mark_iv) == (None, None, None)


@pytest.mark.parametrize("name", EXPIRIES)
def test_it_is_shown_still_with_a_smile_for_every_expiry(name: str, shared_data: Path, tmp_path: Path) -> None:
    recording = open_recording(shared_data / "deribit_surface" / name)
    session = tmp_path / "sessions" / "still"
    lay(session, recording.instruments, recording, model="", code="this", born=recording.born)
    replay = Replay(session, lambda _: None)
    fits = replay.core.market.surface("BTC").fits.values()
    assert [fit.source for fit in fits] == ["quotes"] * EXPIRIES[name]
    assert replay.core.market.venue.garbage == 0
    assert fold.verify(session, lambda _: None).same
