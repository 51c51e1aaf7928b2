"""`evaluate forecast --sessions`: on recordings of real books, in the JSON of CONTRACT.md, stated as a stand-in.

Of each market (inverse, linear, our venue's) the last recording of every instrument is judged. Trained on is all that
ended before, of that market and of other venues' other ones: by the same code as the shipped weights, on a fold of its
own. Labels of the training know nothing past its end, and what is judged begins a warm-up and the longest horizon after
it. Every quarter of the training is left out once (see `crossed.py`): these choose the number of epochs and calibrate,
the network and its rivals alike. Rivals learn from what the network learned from, and beside them a single input and a
base rate from the judged market alone. Nothing is chosen by what is judged. The two networks of the literature, being
slow, learn from three quarters and are tempered on the last.

Beside it stand the shipped weights, which saw the paper market only, on the same moments and in their own question (a
move of their own threshold): whether what they learned carries over. Intervals are 95 %, by drawing blocks of ten
seconds; those of a difference are of ours less a rival's: below zero is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from engine.forecast.parameters import Weights
from engine.research.crossed import trained
from engine.research.fitting import Plan, Say
from engine.research.folds import whole
from engine.research.imports import BadRecording
from engine.research.judging import judge
from engine.research.kept import Kept
from engine.research.networks import networks
from engine.research.recorded_folds import Fold, folds_of
from engine.research.recorded_tables import Found, fold_table, pooled, rows_of, rows_said
from engine.research.recordings import Piece, found, pieces, runs
from engine.research.rivals import lesson_of
from engine.research.rivals_recorded import BaseHere, fitted
from engine.research.rivals_trained import question
from engine.research.scoring import Table

SMALL = Plan(sessions=0, minutes=0.0, fresh=0, hidden=32, segment=300, batch=8)  # minutes are some ten segments
EPOCHS = (10, 30)  # that are tried: the quarters left out choose
STAND_IN = "a stand-in: recordings of minutes, each of one regime of one market; they do not say how it does on others"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`networks` also trains the two networks of the literature."""

    networks: bool = False
    plan: Plan = SMALL
    epochs: tuple[int, ...] = EPOCHS


def evaluate_recorded(
    shipped: Weights, paths: Sequence[Path], asked: Asked, say: Say, keep: Path | None = None
) -> Table:
    """Raises BadRecording where nothing can be judged and no policy row looked at, BadSession."""
    parts = [piece for run in runs(found(paths), say) for piece in pieces(run, shipped, say, keep)]
    folds, notes = folds_of(parts, asked.plan.segment)
    looked = rows_of(parts)
    if not folds and looked is None:
        raise BadRecording("there is nothing to judge: " + "; ".join(notes))
    done = {fold.market: _found(fold, shipped, asked, say, keep) for fold in folds}
    tables = {fold.market: fold_table(fold, done[fold.market], shipped) for fold in folds}
    out = pooled(done, tables) if done else {}
    out |= {"data": "; ".join(table["data"] for table in tables.values()) or "no market is judged", "stand_in": True,
            "crowd": "", "plan": msgspec.to_builtins(asked), "folds": tables}  # fmt: skip
    out |= {"rows": None, "rows_flagged": []} | (looked or {})
    out["notes"] = [STAND_IN, *notes, *(line for table in tables.values() for line in table["verdicts"])]
    out["notes"] += rows_said(looked) if looked is not None else []
    return out


def _found(fold: Fold, shipped: Weights, asked: Asked, say: Say, keep: Path | None) -> Found:
    names = [[piece.name for piece in some] for some in (fold.training, fold.judged)]
    times = [[piece.begin for piece in some] for some in (fold.training, fold.judged)]
    kept = Kept(keep, f"recorded-{fold.market}", shipped.id, asked, names, times)
    done: Found | None = kept.read_object()
    if done is not None:
        say(f"{fold.market}: as kept")
        return done
    say(f"{fold.market}: trained on {', '.join(names[0])}, judged on {', '.join(names[1])}")
    done = _judged(fold, shipped, asked, say)
    kept.write_object(done)
    return done


def _judged(fold: Fold, shipped: Weights, asked: Asked, say: Say) -> Found:
    weights, crossed = trained(fold.training, asked.plan, asked.epochs, say)
    own = {piece.name for piece in fold.own}
    taught = [whole(stretch) for piece in fold.training for stretch in piece.stretches]
    rivals, best = fitted(weights, taught, crossed, own)
    say(f"{fold.market}: rivals are trained; the best single input is {best}")
    if asked.networks:
        frozen = question(weights)
        early, late = ([lesson_of(part, frozen) for part in half] for half in crossed[-1][1:])
        rivals += networks(early, late, frozen, say)
    later = [whole(stretch) for piece in fold.judged for stretch in piece.stretches]
    here = BaseHere([part for part in taught if part.stretch.session in own], question(shipped))
    return Found(weights, best, judge(weights, later, rivals), judge(shipped, later, [here]), _familiar(fold.judged))


def _familiar(judged: Sequence[Piece]) -> float:
    said = np.concatenate([piece.said for piece in judged])
    return float(said[:, 1].mean()) if len(said) else 0.0
