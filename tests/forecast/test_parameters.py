"""A weights file is whole and fits, or it is refused and says why."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forecast.features import NAMES
from engine.forecast.parameters import HASH, HEADS, OUTPUTS, BadWeights, Weights, columns
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


def test_a_signed_file_whose_header_lies_is_refused() -> None:
    body = DATA[:-HASH]
    for wrong, reason in [
        (body[:-4], "bytes of numbers"),
        (body.replace(b'"hidden":16', b'"hidden":17'), "shapes of this model"),
        (body.replace(b'"names"', b'"gnome"'), "cannot be read"),
        (body[:19] + (2**40).to_bytes(8, "little") + body[27:], "longer than the file"),
        (body.replace(b'"temperature":1.5', b'"temperature":0.0'), "positive"),
    ]:
        with pytest.raises(BadWeights, match=reason):
            Weights.from_bytes(signed(wrong))


def test_weights_for_other_features_are_refused_by_name() -> None:
    with pytest.raises(BadWeights, match="moon_phase"):
        weights_of(random_net(), names=(*NAMES[:-1], "moon_phase"))


def test_numbers_that_are_not_finite_are_refused() -> None:
    net = random_net()
    net.head.bias.data[3] = float("nan")
    with pytest.raises(BadWeights, match="finite"):
        weights_of(net)


def test_heads_cover_the_outputs_once() -> None:
    covered = [k for name, _ in HEADS for k in range(OUTPUTS)[columns(name)]]
    assert covered == list(range(OUTPUTS))
