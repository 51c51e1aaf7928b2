"""Streams by name: independent, exact after a dump, other and repeatable after a reseed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.paper.crowd.dice import BLOCK, Stream, dump_generator, load_generator

DRAWS = st.lists(st.tuples(st.sampled_from(["uniforms", "normals", "array"]), st.integers(1, 40)), max_size=40)


def draw(stream: Stream, what: str, count: int) -> list[float]:
    if what == "array":
        return list(stream.rng.random(count).tolist())
    return list(stream.uniforms(count) if what == "uniforms" else stream.normals(count))


@settings(max_examples=50, deadline=None)
@given(DRAWS, DRAWS)
def test_a_loaded_stream_goes_on_exactly(before: list[tuple[str, int]], after: list[tuple[str, int]]) -> None:
    one, two = Stream(5, "maker"), Stream(5, "maker")
    for what, count in before:
        draw(one, what, count)
    two.load(one.dump())
    assert [draw(one, *each) for each in after] == [draw(two, *each) for each in after]
    assert one.dump() == two.dump()


def test_a_name_has_numbers_of_its_own() -> None:
    assert Stream(1, "a").uniforms(4) == Stream(1, "a").uniforms(4)
    assert Stream(1, "a").uniforms(4) != Stream(1, "b").uniforms(4)
    assert Stream(1, "a").uniforms(4) != Stream(2, "a").uniforms(4)


def test_a_reseed_is_fresh_and_can_be_repeated() -> None:
    futures = []
    for fresh in (0, 1, 1):
        stream = Stream(1, "a")
        stream.uniforms(3)
        stream.reseed(fresh)
        futures.append((stream.uniforms(5), stream.normals(5), stream.rng.random(3).tolist()))
    assert futures[1] == futures[2]
    assert futures[0] != futures[1]
    assert futures[0][0] != Stream(1, "a").uniforms(5)


def test_a_block_is_as_good_as_its_end() -> None:
    stream = Stream(1, "a")
    seen = [x for _ in range(3 * BLOCK // 7) for x in stream.uniforms(7)]
    assert len(set(seen)) == len(seen)
    assert 0.45 < sum(seen) / len(seen) < 0.55


def test_a_generators_place_is_text_and_comes_back() -> None:
    stream = Stream(3, "x")
    kept = dump_generator(stream.rng)
    first = stream.rng.random(3).tolist()
    load_generator(stream.rng, kept)
    assert stream.rng.random(3).tolist() == first
    with pytest.raises(ValueError, match="invalid literal"):
        load_generator(stream.rng, ["x", "y", 0, 0])
