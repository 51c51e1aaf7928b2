"""The weights file: plain numpy arrays behind a JSON header, with everything needed to use and to judge them.

Layout: `TIDEGATE-WEIGHTS-2\\n` · header length (8 bytes, little-endian) · header (JSON) · arrays (float32, C order, in
the header's order) · SHA-256 of all that (32 bytes). The id is the start of that hash, so a file cannot be renamed
into another model. A file of another version is refused: what it says would be read as something else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import prod
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.domain import NS, Kind
from engine.forecast.baseline import Rates
from engine.forecast.features import NAMES
from engine.forecast.labels import DIRECTIONS, HORIZON_NS
from engine.forecast.stepping import Packed
from engine.messages import SIZES

FORMAT = b"TIDEGATE-WEIGHTS-"
VERSION = b"2"  # 2: scale and bias of each head of probabilities, by kind of instrument; how unlike is unlike
MAGIC = FORMAT + VERSION + b"\n"
HASH = 32
MAX_HEADER = 1_000_000
LARGEST = 1e7  # of any number of theirs: with larger ones sums overflow
LAYERS = 2

Array = NDArray[np.float32]

# The head's outputs, in order: how many columns each takes.
HEADS: tuple[tuple[str, int], ...] = (
    ("direction", 3),  # logits of up, down, stable after 1 s
    ("direction_10", 3),  # and after 10 and 60 s
    ("direction_60", 3),
    ("drift", 1),  # in thresholds
    ("slip", 2 * len(SIZES) * 3),  # buys then sells, by size, (lo, mid, hi)
    ("impact", 2),  # buy, sell
    ("fill", 2),  # logits of bid, ask
    ("iv", 3),  # (lo, mid, hi)
    ("spread", 1),
    ("depth", 1),
)
KINDS = (Kind.PERPETUAL, Kind.OPTION)  # all futures are as the perpetual is
OUTPUTS = sum(width for _, width in HEADS)
_LABELS = {
    "direction": 1, "direction_10": 1, "direction_60": 1, "drift": 1, "slip": 2 * len(SIZES), "impact": 2, "fill": 2,
    "iv": 1, "spread": 1, "depth": 1,
}  # fmt: skip
TARGETS = sum(_LABELS.values())  # columns of training targets: a class, a scalar, or one value per quantile band


def columns(head: str) -> slice:
    """Where a head's outputs stand among all."""
    return _span(head, dict(HEADS))


def target_columns(head: str) -> slice:
    """Where a head's training targets stand among all."""
    return _span(head, _LABELS)


def _span(head: str, widths: Mapping[str, int]) -> slice:
    names = list(widths)
    start = sum(widths[name] for name in names[: names.index(head)])
    return slice(start, start + widths[head])


BANDS = [at for head in ("slip", "iv") for at in range(columns(head).start, columns(head).stop, 3)]
"""Columns at which the three quantiles of a band begin."""


class BadWeights(ValueError):
    """A weights file that cannot be used. Its text is fit for a person."""


class Calibration(msgspec.Struct, frozen=True):
    """Of one head's logits for one kind of instrument: divided by the temperature, then the bias is added to "stable",
    or to both fills."""

    temperature: float = 1.0
    bias: float = 0.0


PROBABLE = (*DIRECTIONS, "fill")  # heads of logits
Pair = tuple[Calibration, Calibration]  # of options, of futures


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What travels with the numbers.

    `threshold_ticks` and `horizon_s` define up/down/stable, `later_thresholds` (of options, of futures) those of the
    longer horizons; `rates` are the baseline's; futures have their own of both, their ticks being so much finer.
    `calibration`, `trust` and `usual` are fitted on sessions held out from the training; `scores` hold each head's
    score beside its rivals' on later sessions; the hashes are of the training data and of the crowd's settings, empty
    for recorded sessions.
    """

    names: tuple[str, ...]
    hidden: int
    threshold_ticks: float
    future_threshold_ticks: float
    horizon_s: float
    later_thresholds: dict[str, tuple[float, float]]  # by head
    calibration: dict[str, Pair]  # by head of logits
    usual: tuple[float, float]  # of options, of futures: an instrument whose inputs are unlike by more is unfamiliar
    trust: dict[str, float]  # by head, 0 … 1: how much of the model's difference from the baseline is said
    future_trust: dict[str, float]
    iv_scale: float  # per cent per unit of the iv head
    rates: Rates
    future_rates: Rates
    data_hash: str
    crowd_hash: str
    seeds: tuple[int, ...]
    training: dict[str, Any]
    scores: dict[str, Any]
    arrays: tuple[tuple[str, tuple[int, ...]], ...]  # name, shape
    code: str = ""  # version of the code that trained it; left out where unknown, so that older files keep their ids

    def threshold(self, kind: Kind, head: str = "direction") -> float:
        """Ticks beyond which a move is up or down; that of 1 s is also the drift head's unit."""
        both = self.later_thresholds.get(head, (self.threshold_ticks, self.future_threshold_ticks))
        return both[0] if kind is Kind.OPTION else both[1]

    def calibrated(self, kind: Kind, head: str) -> Calibration:
        return self.calibration[head][0 if kind is Kind.OPTION else 1]

    def limit(self, kind: Kind) -> float:
        """How unlike the training an instrument's inputs may be; see `stream.unlike`."""
        return self.usual[0 if kind is Kind.OPTION else 1]

    def base(self, kind: Kind) -> Rates:
        return self.rates if kind is Kind.OPTION else self.future_rates


class Weights:
    """A header and its arrays, checked against each other.

    `mean`, `scale` (2, F), of futures and of options; a scale of 0 mutes a feature that never varied in training.
    `lstm0`, `lstm1` (4, in + H, H) with gates in the order input, forget, cell, output and inputs above hidden state;
    `bias0`, `bias1` (4, H); `head` (H + F, OUTPUTS), `head_bias` (OUTPUTS,). `logistic` (F + 1, 3), intercepts last,
    is a rival that travels along to be judged on the same sessions. By kind of instrument and in the outputs' columns,
    (OUTPUTS,): `base`, what the baseline says, `trust`, and `slope` and `shift`, which calibrate and give the iv head
    its unit; in `spoken` (2, 4, OUTPUTS) slope, shift, base and trust by KINDS. `packed` is what steps.
    """

    def __init__(self, header: Header, arrays: Mapping[str, Array]) -> None:
        self.header = msgspec.json.decode(msgspec.json.encode(header), type=Header)  # as it will be read: 1 is 1.0
        self.arrays = {name: np.ascontiguousarray(arrays[name], dtype=np.float32) for name, _ in header.arrays}
        self.id = "lstm-" + hashlib.sha256(self._body()).hexdigest()[:12]
        _check(self)
        self.base = {kind: _said_by(self.header.base(kind)) for kind in Kind}
        self.packed = Packed(self.arrays, BANDS)
        self.trust = {kind: _spread(header.trust if kind is Kind.OPTION else header.future_trust) for kind in Kind}
        self.slope, self.shift = _scaling(header)
        rows = [(self.slope[kind], self.shift[kind], self.base[kind], self.trust[kind]) for kind in KINDS]
        self.spoken = np.stack([np.stack(row) for row in rows])

    def _body(self) -> bytes:
        text = msgspec.json.encode(self.header)
        data = b"".join(self.arrays[name].astype("<f4").tobytes() for name, _ in self.header.arrays)
        return MAGIC + len(text).to_bytes(8, "little") + text + data

    def to_bytes(self) -> bytes:
        body = self._body()
        return body + hashlib.sha256(body).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Weights:
        """Raises BadWeights, with the reason, for anything but a whole and fitting file."""
        if not data.startswith(FORMAT):
            raise BadWeights("not a weights file of this desk")
        if len(data) < len(MAGIC) + 8 + HASH or hashlib.sha256(data[:-HASH]).digest() != data[-HASH:]:
            raise BadWeights("the weights file is cut short or damaged: its checksum does not fit")
        if not data.startswith(MAGIC):
            found = data[len(FORMAT) :].partition(b"\n")[0][:8].decode("ascii", "replace")
            raise BadWeights(f"the weights file is of version {found!r}, this desk reads {VERSION.decode()!r}")
        at = len(MAGIC) + 8
        size = int.from_bytes(data[len(MAGIC) : at], "little")
        if size > min(MAX_HEADER, len(data) - HASH - at):
            raise BadWeights("the weights file's header is longer than the file")
        try:
            header = msgspec.json.decode(data[at : at + size], type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadWeights(f"the weights file's header cannot be read: {error}") from None
        _check_header(header)
        return cls(header, _cut(header, data[at + size : -HASH]))


def _spread(trust: Mapping[str, float]) -> Array:
    return np.concatenate([np.full(width, trust[name], np.float32) for name, width in HEADS])


def _scaling(header: Header) -> tuple[dict[Kind, Array], dict[Kind, Array]]:
    """What each output is multiplied by, and what is added then, by kind of instrument."""
    slope, shift = ({kind: np.full(OUTPUTS, value, np.float32) for kind in Kind} for value in (1.0, 0.0))
    for kind in Kind:
        slope[kind][columns("iv")] = header.iv_scale
        for head in PROBABLE:
            found = header.calibrated(kind, head)
            slope[kind][columns(head)] = 1.0 / found.temperature
            shift[kind][biased(head)] = found.bias
    return slope, shift


def biased(head: str) -> slice:
    """The columns of a head of logits that its calibration's bias is added to: "stable", or both fills."""
    at = columns(head)
    return at if head == "fill" else slice(at.stop - 1, at.stop)


def _said_by(rates: Rates) -> Array:
    """Base rates, the book as it stands with its usual error, persistence: no correction wherever that is nothing."""
    out = np.zeros(OUTPUTS, np.float32)
    for head in DIRECTIONS:
        odds = rates.odds(HORIZON_NS[head] // NS)
        out[columns(head)] = odds.up, odds.down, odds.stable
    out[columns("slip")] = np.tile(rates.slip, 2 * len(SIZES))
    out[columns("fill")] = rates.fill_bid, rates.fill_ask
    out[columns("iv")] = rates.iv
    return out


def header_arrays(hidden: int, features: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The arrays that a model of this size has, in the file's order."""
    return (
        ("mean", (2, features)),
        ("scale", (2, features)),
        ("lstm0", (4, features + hidden, hidden)),
        ("bias0", (4, hidden)),
        ("lstm1", (4, 2 * hidden, hidden)),
        ("bias1", (4, hidden)),
        ("head", (hidden + features, OUTPUTS)),
        ("head_bias", (OUTPUTS,)),
        ("logistic", (features + 1, 3)),
    )


def _cut(header: Header, data: bytes) -> dict[str, Array]:
    sizes = [prod(shape) for _, shape in header.arrays]
    if 4 * sum(sizes) != len(data):
        raise BadWeights(f"the weights file holds {len(data)} bytes of numbers where its header tells {4 * sum(sizes)}")
    flat, at, out = np.frombuffer(data, dtype="<f4"), 0, {}
    for (name, shape), size in zip(header.arrays, sizes, strict=True):
        out[name] = flat[at : at + size].reshape(shape)
        at += size
    return out


def _check(weights: Weights) -> None:
    header = weights.header
    _check_header(header)
    if not (weights.arrays["scale"] >= 0).all():
        raise BadWeights("a feature's scale is below zero")
    if any(weights.arrays[name].shape != shape for name, shape in header.arrays):
        raise BadWeights("an array differs from its header's shape")
    if not all((np.abs(array) <= LARGEST).all() for array in weights.arrays.values()):
        raise BadWeights("the weights hold numbers that are not finite, or too large to reckon with")


def _check_header(header: Header) -> None:
    if header.names != NAMES:
        missing = ", ".join(sorted(set(header.names) ^ set(NAMES))) or "the order"
        raise BadWeights(f"the weights are for other features than this code makes: {missing}")
    if header.hidden < 1 or header.arrays != header_arrays(header.hidden, len(NAMES)):
        raise BadWeights("the weights' arrays do not have the shapes of this model")
    for trust in (header.trust, header.future_trust):
        if set(trust) != {name for name, _ in HEADS} or not all(0 <= share <= 1 for share in trust.values()):
            raise BadWeights("the weights do not say how far each head is to be trusted")
    if {*header.later_thresholds} != {*DIRECTIONS[1:]} or {*header.calibration} != {*PROBABLE}:
        raise BadWeights("the weights lack the threshold of a horizon or the calibration of a head")
    if header.horizon_s * NS != HORIZON_NS["direction"]:
        raise BadWeights(f"the weights' first direction is of {header.horizon_s:g} s, this desk's is of another time")
    _check_sizes(header)
    for rates in (header.rates, header.future_rates):
        _check_rates(rates)


def _check_sizes(header: Header) -> None:
    """JSON has no NaN, so what is neither too small nor too large is a number."""
    found = [each for pair in header.calibration.values() for each in pair]
    thresholds = [header.threshold(kind, head) for kind in Kind for head in DIRECTIONS]
    scales = [*thresholds, *(each.temperature for each in found), *header.usual, header.iv_scale]
    if min(scales) < 1.0 / LARGEST or max(*scales, *(abs(each.bias) for each in found)) > LARGEST:
        raise BadWeights("the weights' temperatures, thresholds and limits must be positive and within reason")


def _check_rates(rates: Rates) -> None:
    odds = [rates.odds(HORIZON_NS[head] // NS) for head in DIRECTIONS]
    shares = [rates.fill_bid, rates.fill_ask, *(share for each in odds for share in (each.up, each.down, each.stable))]
    if not all(-1e-9 <= share <= 1 for share in shares):  # "stable" is what rounding leaves of 1
        raise BadWeights("the weights' base rates are not probabilities")
    bands = [-LARGEST, *rates.slip, LARGEST], [-LARGEST, *rates.iv, LARGEST]
    if any(band != sorted(band) for band in bands) or not 0 <= rates.impact <= LARGEST:
        raise BadWeights("the weights' base rates cross or are out of reach")
