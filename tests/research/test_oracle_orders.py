"""The oracle of orders: how often one fills and how far one pushes, in futures that could come."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.config import WARM_STEPS
from engine.domain import Side
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from engine.research.closing import closed
from engine.research.dataset import Recorder, Watcher
from engine.research.folds import whole
from engine.research.judging import Judged, outputs_of
from engine.research.oracle_moments import places
from engine.research.oracle_orders import FILLED, PUSHED, Asked, Found, filled, judge_orders, orders, pushed
from engine.research.targets import Part
from tests.forecast.weights import random_net, weights_of

SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=9, futures=0),))
WEIGHTS = weights_of(random_net())
ASKED = Asked(fills=8, pairs=4, takers=5)
AT = WARM_STEPS + 10


@cache
def session() -> tuple[Judged, Found, tuple[Part, ...]]:
    desk, recorder, found = Watcher(31, SMALL, WEIGHTS), Recorder("made"), Found([], [])
    desk.look(6)
    for step in range(AT + 60):
        prints = desk.step()
        recorder.step(desk.market, prints)
        if step == AT:
            found = orders(desk, ASKED)
    parts = tuple(whole(stretch) for stretch in recorder.finish())
    return judge_orders(WEIGHTS, parts, outputs_of(WEIGHTS, parts), [found], ASKED), found, parts


def test_everything_in_focus_is_offered_and_some_of_it_taken_from() -> None:
    _, found, parts = session()
    names = {part.stretch.instrument.name for part in parts}
    assert {one.instrument for one in found.fills} <= names
    assert len(found.fills) >= 4
    assert all(one.came.sum() == ASKED.fills for one in found.fills)
    assert sum(one.instrument == "BTC-PERPETUAL" for one in found.pushes) == 1
    assert 2 <= len(found.pushes) <= ASKED.takers + 1
    assert all(one.came.shape == (ASKED.pairs,) for one in found.pushes)
    assert {one.side for one in found.fills} == {Side.BUY, Side.SELL}


def test_who_takes_pushes_the_price_away() -> None:
    """In units, on the mean of all that was taken: at one moment it may come back further than it went."""
    came = np.concatenate([one.came for one in session()[1].pushes])
    assert np.nanmean(came) > 1.0


def test_each_is_judged_where_its_instrument_stood() -> None:
    judged, found, _ = session()
    assert judged.keys() == {*FILLED, *PUSHED}
    assert len(judged["filled_lstm"]) == len(judged["filled_block"]) == len(found.fills)
    assert judged["filled_lstm"].sum(axis=1) == pytest.approx(1.0)
    assert judged["pushed_came"].shape == (len(judged["pushed_lstm"]), ASKED.pairs)
    fills, pushes = filled(judged), pushed(judged)
    assert fills is not None
    assert pushes is not None
    assert fills.closed.expected.keys() == pushes.closed.expected.keys() == {"lstm", "base", "oracle"}
    assert fills.brier is not None
    assert 0.0 <= fills.brier["oracle"] <= 0.3


def test_before_the_model_is_warm_nothing_is_judged() -> None:
    _, found, parts = session()
    early = [one._replace(t=parts[0].stretch.t) for one in found.fills]
    said = outputs_of(WEIGHTS, parts)
    judged = judge_orders(WEIGHTS, parts, said, [Found(early, [])], ASKED)
    assert filled(judged) is None
    assert pushed(judged) is None
    assert judged["filled_counts"].shape == (0, 2)
    assert judged["pushed_came"].shape == (0, ASKED.pairs)


def test_asking_changes_nothing_of_the_session() -> None:
    asked, alone = (Watcher(33, SMALL, None) for _ in range(2))
    for desk in (asked, alone):
        desk.look(4)
    for step in range(30):
        if step == 20:
            orders(asked, Asked(fills=1, pairs=1, takers=2))
        assert asked.step() == alone.step()
    assert places(asked.market, asked.market.followed()) == places(alone.market, alone.market.followed())


def test_who_knows_the_chance_of_a_fill_has_come_all_the_way() -> None:
    rng = np.random.default_rng(3)
    p = rng.choice([0.1, 0.6], 600)
    counts = np.stack([k := rng.binomial(200, p), 200 - k], axis=1).astype(float)
    base = np.full((600, 2), 0.5)
    judged: Judged = {"filled_counts": counts, "filled_lstm": np.stack([p, 1 - p], axis=1), "filled_base": base,
                      "filled_block": np.arange(600.0) // 10}  # fmt: skip
    found = filled(judged)
    assert found is not None
    assert found.closed.shares["lstm"] == pytest.approx(1.0, abs=0.02)
    assert found.brier is not None
    assert found.brier["lstm"] == pytest.approx(found.brier["oracle"], abs=2e-3)
    assert found.brier["oracle"] == pytest.approx(np.mean(p * (1 - p)), abs=5e-3)


def test_who_knows_the_usual_push_of_each_moment_has_come_all_the_way() -> None:
    rng = np.random.default_rng(4)
    centre = rng.normal(0.0, 2.0, 300)
    came = centre[:, None] + rng.normal(0.0, 0.5, (300, 40))
    came[:, 7] = np.nan
    judged: Judged = {"pushed_came": came, "pushed_lstm": centre, "pushed_block": np.arange(300.0) // 10}
    found = pushed(judged)
    assert found is not None
    assert found.closed.shares["lstm"] == pytest.approx(1.0, abs=0.02)
    assert found.closed.band is not None
    blind = pushed(judged | {"pushed_lstm": np.zeros(300)})
    assert blind is not None
    assert blind.closed.shares["lstm"] == pytest.approx(0.0)


def test_where_there_is_no_way_to_go_none_is_told() -> None:
    same = np.ones(20)
    found = closed({"base": same, "oracle": same, "lstm": same}, np.arange(20.0))
    assert np.isnan(found.shares["lstm"])
