"""What others traded, whichever is told first: a print, or that it was ours."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import DAY_NS, NS
from engine.market.usual import Usual
from engine.market.volume import Volume

START = 20_000 * DAY_NS
WHOSE = st.sampled_from(["print", "ours first", "ours last"])
PRINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 50), WHOSE))


@given(PRINTS, st.integers(0, 60), st.integers(0, 60))
def test_only_what_others_traded_counts_between_two_times(
    rows: list[tuple[int, int, str]], first: int, last: int
) -> None:
    volume, now, others = Volume(), 0, list[tuple[int, int]]()
    for k, (gap, lots, whose) in enumerate(rows):
        now += gap
        if whose == "ours first":
            volume.own(f"t{k}")
        volume.add(START + now * NS + 5, "X", lots, 100 + k, f"t{k}")
        if whose == "ours last":
            volume.own(f"t{k}")
        if whose == "print":
            others.append((now, lots))
    first, last = sorted((first, last))
    found = volume.between("X", START + first * NS, START + last * NS)
    assert found == sum(lots for t, lots in others if first < t <= last)
    again = Volume.load(msgspec.msgpack.decode(msgspec.msgpack.encode(volume.dump())))
    assert again.dump() == volume.dump()
    assert volume.between("Y", START, START + DAY_NS) == 0


def test_what_is_older_than_a_day_is_let_go_and_the_day_stays_right() -> None:
    volume = Volume()
    for hour in range(60):
        volume.add(START + hour * 3600 * NS, "X", 1, 100, str(hour))
    last = START + 59 * 3600 * NS
    assert volume.between("X", last - DAY_NS, last) == 24
    assert len(volume.dump()["times"]["X"]) < 30


@given(st.lists(st.floats(0.0, 500.0), min_size=1, max_size=60))
def test_the_usual_is_the_median_in_half_ticks(values: list[float]) -> None:
    usual = Usual()
    assert usual.median() is None
    for value in values:
        usual.add(value)
    halves = sorted(min(round(2 * value), 400) / 2 for value in values)
    median = usual.median()
    assert median is not None
    middle = len(halves) // 2
    assert halves[max(middle - 1, 0)] <= median <= halves[min(middle + 1, len(halves) - 1)]
    assert Usual.load(msgspec.msgpack.decode(msgspec.msgpack.encode(usual.dump()))).dump() == usual.dump()


def test_the_past_fades() -> None:
    usual = Usual()
    for ticks, steps in ((2.0, 12_000), (5.0, 8_000)):
        for _ in range(steps):
            usual.add(ticks)
    assert usual.median() == 5.0
    for _ in range(300_000):
        usual.add(1.0)
    assert usual.median() == 1.0
