"""Self-exciting arrivals: the rates that were asked for, clustering that follows from the branching, exactness."""

from __future__ import annotations

import numpy as np
import pytest

from engine.domain import NS
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.flow import FlowSettings
from engine.paper.crowd.hawkes import Hawkes

PLAIN = ((0.0,),)


def arrivals(process: Hawkes, seconds: float, seed: int = 1, a: float = 1.0) -> list[tuple[int, int]]:
    dice, out = Stream(seed, "arrivals"), []
    t = process.wait(0, dice.uniforms(1)[0], a)
    while t < seconds * NS:
        draws = dice.uniforms(2)
        kind = process.event(t, draws[0])
        if kind is not None:
            out.append((t, kind))
        t = process.wait(t, draws[1], a)
    return out


def fano(found: list[tuple[int, int]], seconds: int) -> float:
    counts = np.bincount([t // NS for t, _ in found], minlength=seconds)
    return float(counts.var() / counts.mean())


def test_without_children_it_is_poisson() -> None:
    found = arrivals(Hawkes((5.0,), (1.0,), (PLAIN,)), 2000)
    assert len(found) / 2000 == pytest.approx(5.0, rel=0.05)
    assert fano(found, 2000) == pytest.approx(1.0, abs=0.15)
    gaps = np.diff([t for t, _ in found])
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.06)


def test_the_mean_rate_is_what_was_asked_for_and_stays() -> None:
    process = Hawkes((2.0,), (8.0, 0.8), (((0.3,),), ((0.3,),)))
    found = arrivals(process, 4000)
    first = sum(t < 2000 * NS for t, _ in found)
    assert len(found) / 4000 == pytest.approx(2.0, rel=0.08)
    assert first / len(found) == pytest.approx(0.5, abs=0.06)
    assert process.branching == pytest.approx(0.6)


def test_clusters_are_as_large_as_the_branching_says() -> None:
    """Counts over long windows vary by 1/(1 − n)² of their mean."""
    found = arrivals(Hawkes((4.0,), (10.0,), (((0.5,),),)), 4000)
    counts = np.bincount([t // (10 * NS) for t, _ in found], minlength=400)
    assert counts.var() / counts.mean() == pytest.approx(4.0, rel=0.3)


def test_kinds_excite_each_other() -> None:
    """One kind has no rate of its own beyond what the other one causes."""
    process = Hawkes((1.0, 0.5), (5.0,), (((0.0, 0.0), (0.5, 0.0)),))
    found = arrivals(process, 2000)
    kinds = [kind for _, kind in found]
    assert process.base[1] == pytest.approx(0.0, abs=1e-9)
    assert kinds.count(1) / kinds.count(0) == pytest.approx(0.5, rel=0.1)


def test_activity_scales_the_rate() -> None:
    one, two = (len(arrivals(Hawkes((4.0,), (5.0,), (((0.5,),),)), 1500, a=a)) for a in (1.0, 2.0))
    assert two / one == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("children", [((1.0,),), ((1.4,),)])
def test_what_would_explode_is_refused(children: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match="branching"):
        Hawkes((1.0,), (1.0,), (children,))


def test_a_loaded_process_goes_on_exactly() -> None:
    s = FlowSettings()
    one, two = (Hawkes(s.rates, s.decays, s.children) for _ in range(2))
    arrivals(one, 20)
    two.load(one.dump())
    dice = Stream(9, "after")
    for _ in range(200):
        draws = dice.uniforms(2)
        t = one.wait(one.t, draws[0], 1.3)
        assert two.wait(two.t, draws[0], 1.3) == t
        assert one.event(t, draws[1]) == two.event(t, draws[1])
    assert one.dump() == two.dump()


def test_the_usual_flow_is_stationary() -> None:
    s = FlowSettings()
    process = Hawkes(s.rates, s.decays, s.children)
    assert 0.4 < process.branching < 0.9
    assert len(s.decays) >= 2
