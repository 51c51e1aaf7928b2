"""Which crowd a session lives in, and what the hash of many of them names."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.paper.crowd.settings import REGIMES, digest, held_out, settings_of
from engine.paper.instruments.listing import SMALL
from engine.paper.venue import VenueSettings
from engine.research.crowds import HELD_OUT, MIX, TURNS, Session, in_turn, named, named_of
from engine.research.evaluate import Wanted, fresh
from engine.research.fitting import Plan
from engine.research.folds import early_sessions
from engine.research.rivals_trained import CROWD, foreign, plan_of, sessions_of
from engine.research.train import FIRST_SEED, kinds, trained_on
from tests.forecast.weights import random_net, weights_of


def test_a_session_changes_the_crowd_and_nothing_else() -> None:
    base = VenueSettings(listing=SMALL, balance=7.0)
    assert Session(3).venue(base) is base
    assert Session(3, "thin").venue(base) == msgspec.structs.replace(base, crowd=settings_of("thin"))
    assert Session(3, HELD_OUT).venue().crowd == held_out(3)
    with pytest.raises(ValueError, match="no regime 'stormy'"):
        Session(3, "stormy").venue()


def test_one_hash_names_one_crowd_or_many_of_them() -> None:
    assert named_of([Session(1), Session(2, "normal")]) == digest(settings_of("normal"))
    mixed = named_of(in_turn(range(8), MIX))
    assert mixed == named_of(in_turn(range(16), MIX)) == named(dict.fromkeys(settings_of(name) for name in MIX))
    assert mixed != named_of(in_turn(range(8), MIX[::-1]))
    assert named_of([Session(1)], VenueSettings(crowd=None)) == ""


@given(st.integers(2, 60), st.floats(0.5, 0.95), st.permutations(MIX))
def test_what_is_held_out_sees_every_regime_and_training_follows_its_cycle(
    count: int, share: float, cycle: list[str]
) -> None:
    plan = Plan(sessions=count, share=share, regimes=tuple(cycle))
    lived = trained_on([FIRST_SEED + k for k in range(count)], plan)
    early = early_sessions(count, share, len(kinds(plan)))
    assert [session.seed for session in lived] == [FIRST_SEED + k for k in range(count)]
    assert [session.regime for session in lived[:early]] == [cycle[k % 8] for k in range(early)]
    late = [session.regime for session in lived[early:]]
    assert early >= count // 2
    assert late
    assert len(set(late)) == min(len(late), len(REGIMES))
    if count >= 2 * len(REGIMES):
        assert set(late) == set(REGIMES)
    assert all(one != other for one, other in pairwise(late))


def test_a_plan_without_regimes_is_of_the_settings_as_they_are() -> None:
    assert trained_on([5, 6, 7], Plan()) == [Session(5), Session(6), Session(7)]
    assert early_sessions(16, 0.8, 0) == 13


def test_nothing_held_out_is_trained_on() -> None:
    assert HELD_OUT not in MIX
    assert set(MIX) == set(REGIMES)
    trained = {digest(settings_of(name)) for name in MIX}
    assert not trained & {named_of([session]) for session in fresh(700) if session.regime == HELD_OUT}


def test_fresh_sessions_go_through_all_settings_where_there_are_enough() -> None:
    assert [session.regime for session in fresh(21)] == [*TURNS] * 3
    assert {session.regime for session in fresh(6)} == {""}
    assert [session.regime for session in fresh(2, "all")] == ["calm", "normal"]
    assert {session.regime for session in fresh(9, "crisis")} == {"crisis"}
    with pytest.raises(ValueError, match="stormy"):
        _ = Wanted(regime="stormy").sessions


def test_weights_whose_crowd_has_changed_since_are_said_to_be_so() -> None:
    weights = weights_of(random_net())
    plan = msgspec.to_builtins(Plan(sessions=8, regimes=MIX))
    seeds = tuple(range(8))
    whole = named_of(trained_on(seeds, Plan(sessions=8, regimes=MIX)))
    ours = msgspec.structs.replace(weights.header, seeds=seeds, training=plan, crowd_hash=whole)
    old = msgspec.structs.replace(ours, training={}, crowd_hash=named_of([Session(0)]))
    for header, notes in ((ours, []), (old, []), (msgspec.structs.replace(ours, training={}), [CROWD])):
        assert foreign(type(weights)(header, weights.arrays)) == notes
    assert plan_of(type(weights)(old, weights.arrays)).regimes == ()
    assert sessions_of(weights) == []
    assert foreign(weights) == [CROWD], "they tell of nothing that they were trained on"
