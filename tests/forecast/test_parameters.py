"""A weights file is whole and fits, or it is refused and says why."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Kind
from engine.forecast.baseline import Rates
from engine.forecast.features import NAMES
from engine.forecast.parameters import FORMAT, HASH, HEADS, MAGIC, OUTPUTS, PROBABLE, BadWeights, Weights, columns
from tests.forecast.weights import random_net, weights_of

WEIGHTS = weights_of(random_net())
DATA = WEIGHTS.to_bytes()


def test_a_file_comes_back_as_it_was() -> None:
    again = Weights.from_bytes(DATA)
    assert again.id == WEIGHTS.id
    assert again.header == WEIGHTS.header
    assert all(np.array_equal(again.arrays[name], array) for name, array in WEIGHTS.arrays.items())
    assert again.to_bytes() == DATA


def test_another_model_has_another_id() -> None:
    assert weights_of(random_net(2)).id != WEIGHTS.id
    assert weights_of(random_net(), threshold_ticks=0.5).id != WEIGHTS.id


@given(st.integers(0, len(DATA) - 1))
def test_a_file_cut_anywhere_is_refused(size: int) -> None:
    with pytest.raises(BadWeights, match=r"not a weights file|cut short"):
        Weights.from_bytes(DATA[:size])


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_file_with_one_byte_changed_is_refused(at: int, flip: int) -> None:
    with pytest.raises(BadWeights):
        Weights.from_bytes(DATA[:at] + bytes([DATA[at] ^ flip]) + DATA[at + 1 :])


def signed(body: bytes) -> bytes:
    return body + hashlib.sha256(body).digest()


def lying(old: bytes, new: bytes) -> bytes:
    """The file's body with another header, of whatever length."""
    at = len(MAGIC) + 8
    size = int.from_bytes(DATA[len(MAGIC) : at], "little")
    header = DATA[at : at + size].replace(old, new)
    return MAGIC + len(header).to_bytes(8, "little") + header + DATA[at + size : -HASH]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (DATA[:-HASH][:-4], "bytes of numbers"),
        (lying(b'"hidden":16', b'"hidden":17'), "shapes of this model"),
        (lying(b'["mean",[2,', b'["mean",[-2,-'), "shapes of this model"),
        (lying(b'"names"', b'"gnome"'), "cannot be read"),
        (DATA[:19] + (2**40).to_bytes(8, "little") + DATA[27:-HASH], "longer than the file"),
        (lying(b'"temperature":1.5', b'"temperature":0.0'), "positive"),
        (lying(b'"temperature":1.5', b'"temperature":1e-300'), "positive"),
        (lying(b'"bias":0.2', b'"bias":1e99'), "within reason"),
        (lying(b'"iv_scale":1.0', b'"iv_scale":-1.0'), "positive"),
        (lying(b'"usual":[2.0,', b'"usual":[0.0,'), "positive"),
        (lying(b'"horizon_s":1.0', b'"horizon_s":7.0'), "of 7 s"),
        (lying(b'"fill":[{"temp', b'"pill":[{"temp'), "calibration of a head"),
    ],
)
def test_a_signed_file_whose_header_lies_is_refused(wrong: bytes, reason: str) -> None:
    with pytest.raises(BadWeights, match=reason):
        Weights.from_bytes(signed(wrong))


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        (Rates(up=0.7, down=0.7), "not probabilities"),
        (Rates(up_60=-0.1), "not probabilities"),
        (Rates(fill_ask=1.5), "not probabilities"),
        (Rates(slip=(1.0, 0.0, 2.0)), "cross"),
        (Rates(iv=(-1e30, 0.0, 1.0)), "out of reach"),
        (Rates(impact=-1.0), "out of reach"),
    ],
)
def test_base_rates_that_cannot_be_are_refused(rates: Rates, reason: str) -> None:
    for which in ("rates", "future_rates"):
        with pytest.raises(BadWeights, match=reason):
            weights_of(random_net(), **{which: rates})


@pytest.mark.parametrize("version", [b"1", b"3", b"12", b"\xff"])
def test_a_file_of_another_version_is_refused_as_that(version: bytes) -> None:
    other = DATA[:-HASH].replace(MAGIC, FORMAT + version + b"\n", 1)
    with pytest.raises(BadWeights, match="version"):
        Weights.from_bytes(signed(other))


def test_each_kind_of_instrument_has_its_own_scale_and_bias() -> None:
    header = WEIGHTS.header
    for kind, which in ((Kind.OPTION, 0), (Kind.PERPETUAL, 1), (Kind.FUTURE, 1)):
        for head in PROBABLE:
            found = header.calibration[head][which]
            assert WEIGHTS.slope[kind][columns(head)] == pytest.approx(1 / found.temperature)
            assert WEIGHTS.shift[kind][columns(head)][-1] == pytest.approx(found.bias)
        assert WEIGHTS.shift[kind][columns("direction")][0] == 0.0
        assert WEIGHTS.shift[kind][columns("fill")][0] == WEIGHTS.shift[kind][columns("fill")][1]


def test_weights_for_other_features_are_refused_by_name() -> None:
    with pytest.raises(BadWeights, match="moon_phase"):
        weights_of(random_net(), names=(*NAMES[:-1], "moon_phase"))


def test_numbers_that_are_not_finite_are_refused() -> None:
    net = random_net()
    for number in (float("nan"), float("-inf"), 3e38):
        net.head.bias.data[3] = number
        with pytest.raises(BadWeights, match="finite"):
            weights_of(net)


def test_heads_cover_the_outputs_once() -> None:
    covered = [k for name, _ in HEADS for k in range(OUTPUTS)[columns(name)]]
    assert covered == list(range(OUTPUTS))
