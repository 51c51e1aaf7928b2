"""`surface_fit`: ten smiles from 300 quotes around a truth that is known, fitted from nothing.

Beside ours stands the same with each fit started from the last round's, as the desk does it. Errors are to the truth;
butterflies and crossings are those that `proven` refutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise

import numpy as np

from engine.domain import NS
from engine.research.benchmark_row import Row, Table, Work
from engine.research.curves import Curve, Smile
from engine.research.intervals import Floats
from engine.research.proven import butterflies, crossings
from engine.research.surface_proof import smile_of
from engine.research.svi_peers import FORWARD, Fitter, fitters, levels
from engine.research.synthetic import HALF, NOW, Known, known
from engine.surface.surface import Fit, Surface

ROUNDS = 12
BP = 1e4


def surface_fit(rounds: int = ROUNDS) -> Row:
    draw = np.random.default_rng(7)
    peers = {name: None if fitter is None else _peer(fitter) for name, fitter in fitters().items()}
    inputs = [known(draw) for _ in range(rounds)]
    return Row("ms", inputs, _ours, peers, judged, {"from the last fit": _warm()})


def _ours(given: Sequence[Known]) -> list[Fit]:
    return _fitted(Surface(), given, NOW)


def _warm() -> Work:
    surface, seconds = Surface(), count()

    def work(given: Sequence[Known]) -> list[Fit]:
        return _fitted(surface, given, NOW + next(seconds) * NS)

    return work


def _fitted(surface: Surface, given: Sequence[Known], t: int) -> list[Fit]:
    fits = [surface.refit(each.expiry, FORWARD, each.quotes, t) for each in given]
    return [surface.fits[fit.expiry] for fit in fits]


def _peer(fitter: Fitter) -> Work:
    def work(given: Sequence[Known]) -> list[Curve]:
        return [fitter(each.k, each.mid, np.full(len(each.k), HALF), each.years) for each in given]

    return work


def judged(inputs: Sequence[Sequence[Known]], made: Sequence[Sequence[Fit | Curve]]) -> Table:
    """RMS error to the truth in vol bp, and how many slices and neighbours are refuted, of all rounds."""
    smiles = [[smile_of(each) if isinstance(each, Fit) else (each,) for each in surface] for surface in made]
    off = [_ivs(smile, given) - given.truth
           for surface, truth in zip(smiles, inputs, strict=True)
           for smile, given in zip(surface, truth, strict=True)]  # fmt: skip
    bent = butterflies([smile[0] for surface in smiles for smile in surface])
    pairs = [pair for surface in smiles for pair in pairwise(surface)]
    crossed = crossings([near for near, _ in pairs], [far for _, far in pairs])
    return {
        "rmse_vol_bp": float(np.sqrt(np.mean(np.concatenate(off) ** 2))) * BP,
        "butterfly": sum(verdict.answer == "refuted" for verdict in bent),
        "calendar": sum(verdict.answer == "refuted" for verdict in crossed),
        "undecided": sum(verdict.answer == "undecided" for verdict in (*bent, *crossed)),
    }


def _ivs(smile: Smile, given: Known) -> Floats:
    w = np.max([levels(curve, given.k) for curve in smile], axis=0)
    return np.asarray(np.sqrt(w / given.years))
