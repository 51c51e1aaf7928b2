"""Snapshots of a venue: what they hold, and what in them is none."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from engine.domain import expiry_of
from engine.research.imports import BadRecording, open_surface

SUMMARIES: dict[str, Any] = {
    "as_of": "2026-08-01T17:58:04.320127+00:00",
    "futures": [
        {"instrument_name": "BTC-PERPETUAL", "bid_price": 62_687.5, "ask_price": 62_688.0},
        {"instrument_name": "BTC-25SEP26", "bid_price": 63_072.5, "ask_price": 63_077.5},
    ],
    "options": [{"instrument_name": "BTC-25SEP26-60000-C", "bid_price": 0.1, "ask_price": 0.11, "open_interest": 5.0}],
    "instruments": [
        {"instrument_name": "BTC-25SEP26-60000-C", "tick_size": 0.0001},
        {"instrument_name": "BTC-25SEP26", "tick_size": 2.5},
        {"instrument_name": "BTC_USDC", "tick_size": 1.0},
    ],
}
QUOTES: dict[str, Any] = {
    "asset": "btc",
    "quote_curve": {"ref_date": "2026-05-21T10:04:10.269985Z"},
    "inputs": [
        {"bid": "77596.5", "ask": "77597", "security_type": "spot"},
        {"bid": "77567.5", "ask": "77570", "maturity": "2026-05-22T08:00:00Z", "security_type": "forward"},
        {
            "bid": "0.0001", "ask": "0.0002", "open_interest": "1003", "strike": "74000", "option_type": "put",
            "maturity": "2026-05-22T08:00:00Z", "security_type": "option", "iv_bid": "0.43", "iv_ask": "0.47",
            "inverse": True,
        },
    ],
}  # fmt: skip


def written(folder: Path, document: object, pack: bool = False) -> Path:
    path = folder / "surface.json"
    text = document if isinstance(document, bytes) else json.dumps(document, indent=2).encode()
    path.write_bytes(gzip.compress(text) if pack else text)
    return path


def test_the_snapshot_of_august(shared_data: Path) -> None:
    found = open_surface(shared_data / "deribit_surface" / "btc_2026-08-01.json.gz")
    assert found.format == "Deribit summaries"
    assert found.t == 1_785_607_084_320_127_000
    assert found.spot == (62_687.5, 62_688.0)
    assert (len(found.table), len(found.forwards), len(found.instruments)) == (868, 13, 882)
    assert found.forwards[expiry_of("25SEP26")] == (63_072.5, 63_077.5)
    assert (int(found.table["bid"].isna().sum()), int(found.table["ask"].isna().sum())) == (66, 0)
    assert found.bad == ()
    assert found.notes == ("66 of 868 options have no bid or no ask",)


def test_the_quotes_of_may(shared_data: Path) -> None:
    found = open_surface(shared_data / "deribit_surface" / "btc_2026-05-21_quotes.json")
    assert (found.format, found.t) == ("option quotes", 1_779_357_850_269_985_000)
    assert (len(found.table), len(found.forwards), found.spot) == (387, 12, (77_596.5, 77_597.0))
    assert not found.table.isna().any().any()
    assert (found.table["bid_iv"] < found.table["ask_iv"]).all()
    assert set(found.table["expiry"]) <= set(found.forwards)
    assert found.bad == ()


def test_the_two_shapes_say_the_same_things(tmp_path: Path) -> None:
    found = open_surface(written(tmp_path, SUMMARIES, pack=True))
    assert found.table.loc[0, ["instrument", "strike", "bid", "ask", "tick"]].tolist() == [
        "BTC-25SEP26-60000-C", 60_000.0, 0.1, 0.11, 0.0001,
    ]  # fmt: skip
    assert math.isnan(found.table["bid_iv"][0])
    assert [(each.name, each.tick) for each in found.instruments] == [
        ("BTC-25SEP26-60000-C", 0.0001), ("BTC-25SEP26", 2.5),
    ]  # fmt: skip
    found = open_surface(written(tmp_path, QUOTES))
    assert found.table.loc[0, ["instrument", "call", "bid_iv", "open_interest"]].tolist() == [
        "BTC-22MAY26-74000-P", False, 0.43, 1003.0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"bid": "-1"}, {"bid": "0.3"}, {"maturity": None}, {"strike": "-5"}, {"option_type": None}, {"inverse": False},
     {"option_type": "straddle"}],
)  # fmt: skip
def test_a_bad_quote_is_counted_and_listed(change: dict[str, Any], tmp_path: Path) -> None:
    bad = {**QUOTES["inputs"][2], **change}
    found = open_surface(written(tmp_path, {**QUOTES, "inputs": [*QUOTES["inputs"], bad]}))
    assert len(found.table) == 1
    assert (found.bad_count, found.bad[0].number) == (1, 4)


@pytest.mark.parametrize(
    "change",
    [{"instrument_name": "BTC_USDC-25SEP26-60000-C"}, {"bid_price": -0.1}, {"bid_price": 0.2}, {"instrument_name": ""}],
)
def test_a_bad_summary_is_counted_and_listed(change: dict[str, Any], tmp_path: Path) -> None:
    bad = {**SUMMARIES["options"][0], **change}
    found = open_surface(written(tmp_path, {**SUMMARIES, "options": [*SUMMARIES["options"], bad]}))
    assert len(found.table) == 1
    assert (found.bad_count, found.bad[0].number) == (1, 4)


@pytest.mark.parametrize(
    "document",
    [
        {"as_of": "now", "futures": [], "options": [], "instruments": []},
        {"as_of": "2026-08-01T17:58:04+00:00", "futures": [], "options": [], "instruments": []},
        {"as_of": "2026-08-01T17:58:04+00:00"},
        {"asset": "btc", "inputs": 5},
        {**QUOTES, "inputs": [{**QUOTES["inputs"][2], "maturity": "soon"}]},
        {**QUOTES, "inputs": [{**QUOTES["inputs"][2], "bid": "nan"}]},
        b'{"as_of": "2026-08-01T17:58:04+00:00", ',
        b'{"asset": "\xff\xfe"}',
    ],
)
def test_a_document_that_is_none_is_refused_in_a_sentence(document: object, tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=r"surface.json' (cannot be read as a surface|holds no option)"):
        open_surface(written(tmp_path, document))


def test_a_cut_one_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, SUMMARIES, pack=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadRecording, match="is damaged: the compressed data is not complete"):
        open_surface(path)
