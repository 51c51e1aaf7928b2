"""What was found on recordings, as tables and in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from engine.config import DEFAULT_POLICY
from engine.forecast.parameters import Weights, columns
from engine.research.bootstrap import bootstrap
from engine.research.evaluate import ALWAYS, SELDOM
from engine.research.judging import Judged, merged
from engine.research.losses import log_losses
from engine.research.recorded_folds import Fold
from engine.research.recordings import Piece
from engine.research.scoring import HEADS, Table, losses_of, tabled

NOTHING = 1e-6  # of a loss: a head that is not trusted differs from its baseline by rounding
NEITHER = "beats neither the base rate nor the best single input"
NAMED = {
    "base": "the base rate",
    "past_only": "the past-only rule",
    "single": "the best single input",
    "logistic": "logistic regression on all inputs",
    "boosting": "gradient boosting",
    "deeplob": "the CNN-LSTM",
    "transformer": "the transformer",
}


class Found(msgspec.Struct, frozen=True):
    """Of one fold: the arrays that tables are made of, of the model trained here and of the shipped one."""

    weights: Weights
    input: str  # that the single rival reads
    ours: Judged
    shipped: Judged
    familiar: float  # share of judged moments which the shipped weights call familiar


def fold_table(fold: Fold, done: Found, shipped: Weights) -> Table:
    trained, judged = (", ".join(piece.name for piece in some) for some in (fold.training, fold.judged))
    table = tabled(done.weights, done.ours, f"trained on {trained}, judged on {judged}")
    _compare(table, done.ours)
    table |= {"single_input": done.input, "transfer": transfer(done, shipped)}
    table["verdicts"] = [*verdicts(fold.market, table), _carried(fold.market, table["transfer"])]
    return table


def _compare(table: Table, judged: Judged) -> None:
    """Every rival there is, and intervals by drawing blocks, in place of the table's own."""
    losses, bands = direction(judged)
    table["direction"]["log_loss"] |= losses
    for head in HEADS[1:]:
        found, _ = losses_of(head, judged)
        for name, loss in found.rivals.items():
            bands[f"{head}_vs_{name}"] = bootstrap(found.model - loss, found.block)
    table["intervals"] = bands


def direction(judged: Judged) -> tuple[dict[str, float], dict[str, tuple[float, float] | None]]:
    """Mean log-losses of the model and of all rivals; intervals of their differences, and of what the rivals gain on
    the base rate."""
    known = ~np.isnan(judged["outcome"])
    came, block = judged["outcome"][known].astype(int), judged["block"][known]
    rivals = {name[2:]: log_losses(judged[name][known], came) for name in judged if name.startswith("p_")}
    ours = log_losses(judged["said"][known][:, columns("direction")], came)
    means = {name: float(loss.mean()) for name, loss in {"lstm": ours, **rivals}.items()}
    bands = {f"direction_vs_{name}": bootstrap(ours - loss, block) for name, loss in rivals.items()}
    bands |= {f"{name}_vs_base": bootstrap(loss - rivals["base"], block) for name, loss in rivals.items()
              if name != "base"}  # fmt: skip
    return means, bands


def transfer(done: Found, shipped: Weights) -> Table:
    """The shipped weights in their own question: `base`, `past_only`, `logistic` are those that travel in them,
    `base_here` is the frequency in the recordings that were trained on."""
    losses, bands = direction(done.shipped)
    came = done.shipped["outcome"][~np.isnan(done.shipped["outcome"])]
    return {
        "weights": shipped.id,
        "threshold_ticks": shipped.header.future_threshold_ticks,
        "n": len(came),
        "shares": {name: float((came == k).mean()) for k, name in enumerate(("up", "down", "stable"))},
        "log_loss": losses,
        "intervals": {name: band for name, band in bands.items() if name.startswith("direction_")},
        "familiar": done.familiar,
    }


def verdicts(market: str, table: Table) -> list[str]:
    """In plain words; the second line is what NUMBERS.md asks for."""
    losses, bands = table["direction"]["log_loss"], table["intervals"]
    said = [
        f"{_than(bands[f'direction_vs_{name}'])} {words} {losses[name]:.4f} {_band(bands[f'direction_vs_{name}'])}"
        for name, words in NAMED.items()
        if losses.get(name) is not None
    ]
    wanted = ("base", "single")
    beaten = [NAMED[name] for name in wanted if _than(bands[f"direction_vs_{name}"]) == "below"]
    rest = [NAMED[name] for name in wanted if NAMED[name] not in beaten]
    end = NEITHER if not beaten else "beats " + " and ".join(beaten) + "".join(f", not {name}" for name in rest)
    others = [
        f"{name.replace('_vs_', ' against ')}: {_than(bands[name])} it {_band(bands[name])}"
        for name in bands
        if name.split("_vs_")[0] in HEADS[1:] and bands[name] is not None
    ]
    return [
        f"{market}: direction log-loss of the LSTM trained here {losses['lstm']:.4f}: {'; '.join(said)}",
        f"{market}: the LSTM trained here {end}",
        f"{market}: the other heads: {'; '.join(others)}",
    ]


def _carried(market: str, found: Table) -> str:
    """A base rate of another regime is easily beaten: only who also beats the past-only rule has learned something."""
    loss = found["log_loss"]
    bands = {name: found["intervals"][f"direction_vs_{name}"] for name in ("base_here", "past_only")}
    than = {name: _than(band) for name, band in bands.items()}
    carries = "that what they learned carries over is not shown"
    if set(than.values()) == {"below"}:
        carries = "something of what they learned carries over"
    elif "above" in than.values():
        carries = "what they learned misleads here"
    return (
        f"{market}: the shipped weights, trained on the paper market alone, for a move of "
        f"{found['threshold_ticks']:.2f} ticks {loss['lstm']:.4f}: {than['base_here']} the base rate of these "
        f"recordings {loss['base_here']:.4f} {_band(bands['base_here'])}, {than['past_only']} the past-only rule "
        f"{loss['past_only']:.4f} {_band(bands['past_only'])}: {carries}; the desk calls "
        f"{100.0 * found['familiar']:.0f} % of the moments familiar"
    )


def _than(band: tuple[float, float] | None) -> str:
    if band is None or (band[0] <= NOTHING and band[1] >= -NOTHING):
        return "not told apart from"
    return "below" if band[1] < 0.0 else "above"


def _band(band: tuple[float, float] | None) -> str:
    return "[unknown]" if band is None else f"[{band[0]:+.4f}, {band[1]:+.4f}]"


def pooled(done: Mapping[str, Found], tables: Mapping[str, Table]) -> Table:
    """All judged moments together, each by its own fold's model."""
    judged, first = merged([each.ours for each in done.values()]), next(iter(done.values()))
    table = tabled(first.weights, judged, "")
    _compare(table, judged)
    table["weights"] = {market: each.weights.id for market, each in done.items()}
    table["threshold_ticks"] = {market: each["threshold_ticks"]["future"] for market, each in tables.items()}
    return table


def rows_of(parts: Sequence[Piece]) -> Table | None:
    """Firing shares of the policy rows over both sides of all options: as the desk would have it, with what it knows of
    the model's skill and of the market, and were the model believed. None without options."""
    looked = [piece for piece in parts if piece.looks]
    if not looked:
        return None
    looks = sum(piece.looks for piece in looked)
    fired, believed = (
        {row.name: sum(counts.get(row.name, 0) for counts in each) / looks for row in DEFAULT_POLICY}
        for each in ([piece.fired for piece in looked], [piece.believed for piece in looked])
    )
    said = np.concatenate([piece.said for piece in looked])
    return {
        "rows": fired,
        "rows_flagged": [name for name, share in fired.items() if not SELDOM <= share <= ALWAYS],
        "rows_believed": believed,
        "rows_of": {"data": [piece.name for piece in looked], "looks": looks, "familiar": float(said[:, 1].mean())},
    }
