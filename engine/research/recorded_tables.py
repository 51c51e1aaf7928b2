"""What was found on recordings, as tables and in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from engine.config import DEFAULT_POLICY
from engine.forecast.parameters import Weights, columns
from engine.research.bootstrap import bootstrap
from engine.research.dataset import AT
from engine.research.judging import Judged, merged
from engine.research.losses import log_losses
from engine.research.paired import HEADS, losses_of
from engine.research.recorded_folds import Fold
from engine.research.recordings import Piece
from engine.research.scoring import Table, tabled
from engine.research.targets import AHEAD
from engine.view.skill import flag_of

NOTHING = 1e-6  # of a loss: a head that is not trusted differs from its baseline by rounding
NEITHER = "beats neither the base rate nor the best single input"
WANTED = ("base", "base_here", "single", "single_here")  # that NUMBERS.md asks to be beaten
NAMED = {
    "base": "the base rate",
    "base_here": "the base rate of this market alone",
    "past_only": "the past-only rule",
    "single": "the best single input",
    "single_here": "the best single input of this market alone",
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
    wanted = [name for name in WANTED if losses.get(name) is not None]
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
    the model's skill and of the market, and were the model believed. Beside it what each head's skill was called, and
    how much there was to forecast at all. None without options."""
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
        "rows_flagged": [name for name, share in fired.items() if flag_of(share)],
        "rows_believed": believed,
        "rows_of": {
            "data": [piece.name for piece in looked], "looks": looks, "familiar": float(said[:, 1].mean()),
            "verdicts": _called(looked, looks), "unchanged_1s": unchanged(looked),
        },
    }  # fmt: skip


def _called(looked: Sequence[Piece], looks: int) -> dict[str, dict[str, float]]:
    """Shares of the looks, by head and verdict."""
    out: dict[str, dict[str, float]] = {}
    for piece in looked:
        for head, counts in piece.verdicts.items():
            shares = out.setdefault(head, {})
            for verdict, count in counts.items():
                shares[verdict] = shares.get(verdict, 0.0) + count / looks
    return out


def unchanged(pieces: Sequence[Piece]) -> Table:
    """Of one-second windows of options whose book has two sides at both ends: in what share the micro-price ends
    exactly where it began; over all, and of the options the least and the most."""
    micro = [stretch.now[:, AT["micro"]] for piece in pieces for stretch in piece.stretches if stretch.option]
    ahead = AHEAD["direction"]
    pairs = [(values[:-ahead], values[ahead:]) for values in micro]
    same = [now[known] == then[known] for now, then in pairs if (known := ~np.isnan(now) & ~np.isnan(then)).any()]
    if not same:
        return {"windows": 0, "share": None, "least": None, "most": None}
    shares = [float(each.mean()) for each in same]
    all_ = np.concatenate(same)
    return {"windows": len(all_), "share": float(all_.mean()), "least": min(shares), "most": max(shares)}


def rows_said(looked: Table) -> list[str]:
    """In plain words."""
    of, still = looked["rows_of"], looked["rows_of"]["unchanged_1s"]["share"]
    fired = ", ".join(
        f"{name} {_percent(share)} (believed: {_percent(looked['rows_believed'][name])})"
        for name, share in looked["rows"].items()
    )
    called = ", ".join(
        f"{head} {max(shares, key=lambda word: shares[word])}" for head, shares in of["verdicts"].items()
    )
    return [
        f"policy rows over {of['looks']} looks at options of {', '.join(of['data'])}: {fired}",
        f"there the micro-price is exactly where it was a second before in "
        f"{'no known share' if still is None else _percent(still)} of the windows; the desk calls "
        f"{_percent(of['familiar'])} of the moments familiar; of its heads it mostly says: {called}",
    ]


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"
