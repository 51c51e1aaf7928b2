"""`evaluate venue`: its JSON, its lines, its picture, and what is kept."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from engine.__main__ import main
from engine.paper.crowd.settings import REGIMES, Settings, digest
from engine.paper.instruments.listing import SMALL
from engine.paper.venue import VenueSettings
from engine.research import paper_sessions, recorded
from engine.research.cluster import Workers
from engine.research.crowds import crowd_of, named
from engine.research.dataset import START_NS
from engine.research.evaluate_venue import judged_table, lines
from engine.research.paper_sessions import Found, session
from engine.research.picture import Scale, picture
from engine.research.speed import speed

MINUTES = 2.0
CROWD = Settings()


@cache
def found() -> Found:
    return session(77, MINUTES, CROWD, sweeps=1, pairs=1)


@cache
def table() -> dict[str, Any]:
    """As the command makes it, without the recordings."""
    timed = {"times": 100.0, "heard": 50.0, "instruments": 23, "agents": 9, "events_per_s": 80.0}
    rest = {"hash": digest(CROWD), "regime": "default", "seeds": [77], "minutes": MINUTES, "speed": {"small": timed}}
    return judged_table([found()], None) | rest


def test_the_table_has_the_shape_that_others_script_against() -> None:
    said = msgspec.json.decode(msgspec.json.encode(table()))
    assert {"facts", "predictability", "hash", "seeds", "minutes", "speed"} <= said.keys()
    for name, pair in said["facts"].items():
        assert pair.keys() == {"ours", "recorded"}, name
        assert pair["recorded"] is None
        assert pair["ours"] is not None
    assert said["predictability"]["recorded"] is None
    paper = said["predictability"]["paper"]
    assert paper["low"] <= paper["gain"] <= paper["high"]
    named = "spread_ticks depth_usd trade_gap_s sign_autocorrelation volatility_signature ofi_r2 impact metaorder"
    more = "two_sided unchanged_share option_unchanged_share static_arbitrage option_size option_spread_vol_points"
    assert {*named.split(), *more.split()} <= said["facts"].keys()


def test_the_paper_chain_has_no_arbitrage() -> None:
    counts = table()["facts"]["static_arbitrage"]["ours"]
    assert counts["checked"] > 50
    assert (counts["mids"], counts["quotes"], counts["fits"]) == (0.0, 0.0, 0.0)


def test_recordings_stand_beside_where_they_are(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in recorded.PERPETUALS if name != recorded.ANCHOR]:
        monkeypatch.delitem(recorded.PERPETUALS, name)  # they take as long again, each
    said = judged_table([found()], shared_data)
    assert said["facts"]["spread_ticks"]["recorded"]["mean"] == pytest.approx(1.13, abs=0.05)
    assert said["facts"]["metaorder"]["recorded"] is None
    theirs = said["predictability"]["recorded"]
    assert theirs["gain"] == pytest.approx(0.075, abs=0.003)
    assert theirs["by_moving"].keys() == said["predictability"]["paper"]["by_moving"].keys()
    assert theirs["others"] == {}
    text = "\n".join(lines(table() | said))
    assert "recorded: 0.07" in text


def test_every_line_is_plain_and_names_the_hash() -> None:
    text = list(lines(table()))
    assert digest(CROWD)[:16] in text[0]
    assert any(line.startswith("small list: 100 times real time") for line in text)
    assert all(line.isprintable() for line in text)


def test_the_hash_is_the_settings_and_every_regime_has_its_own() -> None:
    assert named([CROWD, CROWD]) == digest(CROWD)
    crowds = [crowd_of(regime, 1) for regime in (*REGIMES, "held-out")]
    assert len({digest(crowd) for crowd in crowds}) == len(crowds)
    assert named([crowd_of("held-out", 1), crowd_of("held-out", 2)]) not in {digest(crowd) for crowd in crowds}


def test_the_picture_is_one_page_of_panels() -> None:
    drawn = ElementTree.fromstring(picture(table()))
    texts = [element.text or "" for element in drawn.iter() if element.tag.endswith("text")]
    assert "The paper market beside real ones" in texts
    assert "What one input foretells" in texts
    assert sum(element.tag.endswith("circle") for element in drawn.iter()) > 40
    numbers = [
        float(element.attrib[name]) for element in drawn.iter() for name in ("cx", "cy") if name in element.attrib
    ]
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("log", [False, True])
def test_a_scale_puts_its_ends_at_its_ends(log: bool) -> None:
    scale = Scale(0.02, 300.0, 10.0, 110.0, log)
    assert scale(0.02) == pytest.approx(10.0)
    assert scale(300.0) == pytest.approx(110.0)
    assert all(0.02 <= tick <= 300.0 for tick in scale.ticks())
    assert len(scale.ticks()) >= 2


def test_what_is_kept_is_not_simulated_again(tmp_path: Path) -> None:
    said: list[str] = []
    paper_sessions._keep(tmp_path, found(), MINUTES, CROWD)
    again = paper_sessions.sessions({77: CROWD}, MINUTES, tmp_path, said.append, Workers(1))
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode([found()])
    assert said == ["seed 77: as kept"]
    assert paper_sessions._kept(tmp_path, 78, MINUTES, CROWD) is None
    assert paper_sessions._kept(tmp_path, 77, MINUTES + 1, CROWD) is None


def test_speed_says_what_it_is_of() -> None:
    row = speed(VenueSettings(listing=SMALL), 1, START_NS, cpu_s=0.1)
    assert row["instruments"] == 23
    assert row["coins"] == ["BTC"]
    assert row["times"] > 1.0
    assert row["agents"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--minutes", "0.5"], "at least 2 minutes"),
        (["--regime", "sunny"], "no regime 'sunny'"),
        (["--seeds", "0"], "seed"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "venue", "--data", str(tmp_path), *arguments]) == 1
    assert said in capsys.readouterr().err
