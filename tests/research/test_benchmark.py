"""`bench`: its JSON, what is judged, and that who is not there is said to be absent."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.__main__ import main
from engine.research import svi_peers
from engine.research.benchmark import lines, machine, rows
from engine.research.benchmark_deeplob import deeplob
from engine.research.benchmark_lstm import lstm_step, lstm_step_50
from engine.research.benchmark_options import chain, iv_chain
from engine.research.benchmark_row import Row, measured
from engine.research.benchmark_surface import judged, surface_fit
from engine.research.synthetic import known


def silent(text: str) -> None:
    """Progress that nobody reads."""


def total(given: list[float]) -> float:
    return sum(given)


def row(peers: dict[str, Any]) -> Row:
    def off(inputs: Any, made: Any) -> dict[str, Any]:
        return {"off": max(abs(sum(given) - found) for given, found in zip(inputs, made, strict=True))}

    return Row("µs", [[1.0, 2.0], [3.0, 4.0]], total, peers, off, {"by math": math.fsum})


def test_a_row_has_ours_its_peers_their_ratios_and_who_is_absent() -> None:
    said = measured(row({"wrong": lambda given: 0.0, "not here": None}), "sums", silent)
    assert said["ours"].keys() == {"p50", "p95", "p99", "off"}
    assert (said["ours"]["off"], said["beside"]["by math"]["off"], said["peers"]["wrong"]["off"]) == (0.0, 0.0, 7.0)
    assert (said["absent"], said["ratio"].keys(), said["rounds"]) == (["not here"], {"wrong"}, 2)
    assert said["ratio"]["wrong"] == pytest.approx(said["peers"]["wrong"]["p50"] / max(said["ours"]["p50"], 1e-12))


def test_the_lines_name_everyone() -> None:
    table = {"machine": machine(), "rows": {"sums": measured(row({"wrong": total, "not here": None}), "sums", silent)}}
    text = "\n".join(lines(table))
    assert all(name in text for name in ("sums, µs", "ours, by math", "wrong", "not here: not installed"))
    assert msgspec.json.decode(msgspec.json.encode(table)) == table


def test_who_makes_something_else_is_named_and_not_timed() -> None:
    alike = row({"wrong": lambda given: 0.0, "right": math.fsum, "not here": None})
    said = measured(alike._replace(same=[("", "wrong", "right", "not here")]), "sums", silent)
    assert (said["other"], said["peers"].keys(), said["absent"]) == ({"wrong": 7.0}, {"right"}, ["not here"])
    assert "wrong: not timed, it is off by 7" in "\n".join(lines({"machine": machine(), "rows": {"sums": said}}))


@pytest.mark.parametrize(("turns", "order"), [(1, "ourspeerourspeer"), (2, "oursourspeerpeer")])
def test_contenders_take_turns(turns: int, order: str) -> None:
    seen: list[str] = []

    def noted(given: list[float], name: str) -> float:
        seen.append(name)
        return sum(given)

    both = row({"peer": partial(noted, name="peer")})
    measured(both._replace(ours=partial(noted, name="ours"), beside={}, in_a_row=turns), "sums", silent)
    assert "".join(seen[2:]) == order


@pytest.mark.parametrize("make", [lstm_step, lstm_step_50, deeplob])
def test_contenders_step_alike(make: Callable[[], Row]) -> None:
    """Those that are installed; the others are named."""
    whole = make()
    said = measured(whole._replace(inputs=whole.inputs[:20]), "steps", silent)
    assert said["other"] == {}
    assert {name for name in whole.peers if "ONNX" not in name} <= said["peers"].keys()
    assert {*said["peers"], *said["absent"]} == {*whole.peers}


def test_the_rows_are_those_of_the_contract() -> None:
    units = {"lstm_step": "µs", "lstm_step_50": "µs", "deeplob": "µs", "iv_chain": "µs", "surface_fit": "ms"}
    assert {name: make().unit for name, make in rows().items()} == units


def test_the_known_surface_is_fitted_without_arbitrage_and_as_near_as_by_the_peers() -> None:
    said = measured(surface_fit(2), "surface_fit", silent)
    for ours in (said["ours"], *said["beside"].values()):
        assert (ours["butterfly"], ours["calendar"], ours["undecided"]) == (0, 0, 0)
        assert ours["rmse_vol_bp"] < 1.05 * min(peer["rmse_vol_bp"] for peer in said["peers"].values())
    assert {"scipy least squares (LM)", "quasi-explicit (scipy)"} <= said["peers"].keys()


@pytest.mark.parametrize("fitter", [svi_peers.least_squares_lm, svi_peers.quasi_explicit])
def test_a_peer_finds_a_smile_without_noise(fitter: svi_peers.Fitter) -> None:
    surface = known(np.random.default_rng(1))
    exact = [each._replace(mid=each.truth) for each in surface]
    made = [fitter(each.k, each.mid, np.full(len(each.k), 0.005), each.years) for each in exact]
    assert judged([exact], [made])["rmse_vol_bp"] < 0.5


def test_a_surface_with_arbitrage_is_said_to_have_it() -> None:
    surface = known(np.random.default_rng(1))
    made = [svi_peers.least_squares_lm(each.k, each.mid, np.full(len(each.k), 0.005), each.years) for each in surface]
    vogt = svi_peers.raw(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
    said = judged([surface], [[*made[:-1], vogt]])
    assert said["butterfly"] >= 1
    assert said["calendar"] >= 1


def test_the_options_are_a_thousand_and_ours_finds_them_all() -> None:
    given = chain(np.random.default_rng(2))
    assert len(given.iv) == 1000
    found = iv_chain()
    assert found.judged([given], [found.ours(given)])["wrong"] == 0
    assert found.judged([given], [np.where(given.call, np.nan, given.iv)])["wrong"] == 500
    bare = found.peers["lbriv, bare"]
    assert bare is not None
    assert found.judged([given], [bare(given)])["largest_error"] < 1e-10


def test_a_row_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "nothing"]) == 2
    there = "lstm_step, lstm_step_50, deeplob, iv_chain, surface_fit"
    assert f"there is no row nothing: there are {there}" in capsys.readouterr().err
