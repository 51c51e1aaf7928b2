"""Each schedule by what it promises: a shape, a limit, a unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import DAY_NS, HOUR_NS, NS
from engine.execution.schedules import almgren_chriss as ac
from engine.execution.schedules import pov, twap, vwap
from engine.execution.schedules.course import Course
from engine.execution.schedules.dice import draw, seed_of
from engine.execution.schedules.profile import FLAT, Profile, learn

MORNING = 20_000 * DAY_NS + 8 * HOUR_NS


def course(seconds: float = 600.0, start: int = MORNING, **fields: float | Profile) -> Course:
    return Course(quantity=1000, done=0, start=start, end=start + round(seconds * NS), **fields)  # type: ignore[arg-type]


def nobody(start: int, end: int) -> float:
    return 0.0


def at(line: Course, share: float) -> int:
    return line.start + int((line.end - line.start) * share)


# ---------------------------------------------------------------- Almgren–Chriss


@given(st.floats(0.0, 1.0), st.floats(0.0, 1e-9))
def test_without_risk_aversion_the_optimum_is_the_straight_line(share: float, kappa: float) -> None:
    line = course(kappa=kappa)
    now = at(line, share)
    assert ac.share(line, now, nobody) == twap.share(line, now, nobody)


@given(st.floats(0.0, 1.0), st.floats(1e-5, 0.5))
def test_the_optimum_is_the_paper_s_trajectory(share: float, kappa: float) -> None:
    line = course(kappa=kappa)
    now = at(line, share)
    left = math.sinh(kappa * (line.end - now) / NS) / math.sinh(kappa * 600.0)
    assert ac.share(line, now, nobody) == pytest.approx(1.0 - left, abs=1e-9)
    assert ac.share(line, now, nobody) >= twap.share(line, now, nobody) - 1e-9  # more urgent: earlier


@given(st.floats(0.05, 0.95), st.floats(1e-4, 0.05))
def test_rebased_where_it_stands_the_optimum_goes_on_as_before(share: float, kappa: float) -> None:
    line = course(kappa=kappa)
    middle, later = at(line, share), at(line, (1.0 + share) / 2)
    done, whole = ac.share(line, middle, nobody), ac.share(line, later, nobody)
    rest = course(kappa=kappa, start=middle, seconds=(line.end - middle) / NS)
    assert done + (1.0 - done) * ac.share(rest, later, nobody) == pytest.approx(whole, abs=1e-6)


@given(st.floats(1e-6, 1.0), st.floats(1e-3, 5.0), st.floats(0.01, 100.0), st.floats(0.0, 1.0), st.floats(1.0, 60.0))
def test_kappa_solves_the_paper_s_equation(risk: float, sigma: float, eta: float, gamma: float, tau: float) -> None:
    kappa = ac.kappa(risk, sigma, eta, gamma, tau)
    against = max(eta - gamma * tau / 2, eta / 10)
    assert 2 * (math.cosh(kappa * tau) - 1) / tau**2 == pytest.approx(risk * sigma**2 / against, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("missing", ["risk", "sigma", "eta", "tau"])
def test_where_there_is_nothing_to_weigh_it_is_the_line(missing: str) -> None:
    known = {"risk": 0.01, "sigma": 0.1, "eta": 9.0, "gamma": 0.05, "tau": 30.0}
    assert ac.kappa(**known) > 0.0
    assert ac.kappa(**(known | {missing: 0.0})) == 0.0


def test_a_worked_example_in_its_units() -> None:
    """100 contracts in 600 s, 20 children of 5; 0.3 ticks a contract, a push of 0.5 for ten, 0.09 ticks in √1 s."""
    found = [ac.kappa(ac.risk_aversion(urgency, 100.0), 0.09, 0.3 * 30, 0.05, 30.0) * 600 for urgency in (0, 5, 10)]
    assert found == pytest.approx([0.0, 0.94, 1.88], abs=0.01)


def test_the_slope_of_a_curve_is_its_line_through_nothing() -> None:
    assert ac.slope((1.0, 2.0, 5.0), (0.3, 0.6, 1.5)) == pytest.approx(0.3)


# ---------------------------------------------------------------- volume


@given(st.floats(0.0, 1.0), st.integers(0, DAY_NS), st.floats(1.0, 80_000.0))
def test_a_flat_profile_is_the_straight_line(share: float, start: int, seconds: float) -> None:
    line = course(seconds, start)
    now = at(line, share)
    assert vwap.share(line, now, nobody) == pytest.approx(twap.share(line, now, nobody), abs=1e-6)


def test_the_profile_s_hours_are_followed_across_midnight() -> None:
    rates = [0.0] * 24
    rates[23], rates[0], rates[1] = 1.0, 3.0, 4.0
    line = course(3 * 3600.0, 20_001 * DAY_NS - HOUR_NS, profile=Profile(tuple(rates)))
    shares = [vwap.share(line, line.start + round(hours * HOUR_NS), nobody) for hours in (0.0, 1.0, 1.5, 2.0, 3.0)]
    assert shares == pytest.approx([0.0, 0.125, 0.3125, 0.5, 1.0])


def test_a_profile_that_expects_nothing_is_the_line() -> None:
    line = course(profile=Profile((0.0,) * 24))
    assert vwap.share(line, at(line, 0.25), nobody) == 0.25


def test_participation_follows_what_others_trade() -> None:
    line = course(rate=0.2)
    shares = [pov.share(line, at(line, 0.5), lambda *_, lots=lots: lots) for lots in (0.0, 500.0, 5000.0, 9000.0)]
    assert shares == [0.0, 0.1, 1.0, 1.0]


def test_a_profile_is_learnt_from_prints_and_from_when_they_were_watched() -> None:
    day = 20_000 * DAY_NS
    watched = [(day + h * HOUR_NS, day + (h + 1) * HOUR_NS) for h in (8, 9) for _ in range(50)]
    prints = [(day + 8 * HOUR_NS + k, 30.0) for k in range(100)] + [(day + 9 * HOUR_NS + k, 10.0) for k in range(100)]
    found = learn(prints, watched)
    assert found.rates[8] == pytest.approx(1.5, abs=0.02)
    assert found.rates[9] == pytest.approx(0.5, abs=0.02)
    assert found.rates[10] == 1.0  # never watched: the mean


def test_an_hour_seen_once_proves_little() -> None:
    day = 20_000 * DAY_NS
    found = learn([(day + 8 * HOUR_NS, 30.0), (day + 9 * HOUR_NS, 10.0)], [(day + 8 * HOUR_NS, day + 10 * HOUR_NS)])
    assert found.rates[8:10] == pytest.approx((1.25, 0.75))


def test_nothing_learnt_is_a_flat_profile() -> None:
    assert learn([], [(0, HOUR_NS)]) == FLAT


# ---------------------------------------------------------------- dice


def test_draws_are_even_and_know_only_their_seed_and_number() -> None:
    seed = seed_of(1, 17)
    drawn = [draw(seed, n) for n in range(4000)]
    assert sum(drawn) / 4000 == pytest.approx(0.5, abs=0.02)
    assert sum(value**2 for value in drawn) / 4000 == pytest.approx(1 / 3, abs=0.02)
    assert len(set(drawn)) == 4000
    assert draw(seed, 7) == drawn[7]
    assert draw(seed, 7, stream=1) != drawn[7]
    assert seed_of(1, 18) != seed
    assert seed_of(2, 17) != seed
    assert 0 <= seed < 2**63
