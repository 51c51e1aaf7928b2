"""`evaluate venue`: the paper market beside the recordings, in the JSON of CONTRACT.md.

The perpetual is held against the recorded inverse perpetual (two files of one night), options against a recorded chain
and raw frames of the venue. Where the recordings are absent, `recorded` is null throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.paper.crowd.settings import Settings
from engine.paper.instruments.listing import BTC_ONLY, DEFAULT, SMALL, Spec
from engine.paper.venue import VenueSettings
from engine.research import recorded
from engine.research.cluster import HERE, Workers
from engine.research.crowds import crowd_of, named
from engine.research.facts import Fact, averaged, facts, listed
from engine.research.facts_options import option_facts, recorded_quotes, unchanged_options
from engine.research.paper_sessions import Found, sessions, start_of
from engine.research.predictability import SHARES, Gain, gain, gain_across, halves, judged
from engine.research.speed import speed

SEED = 2001  # the first of the judged sessions: neither trained on nor a forecast's
MINUTES = 10.8  # as long as the recorded inverse perpetual
FEWEST = 2.0  # minutes that a regression and its judgement need
LISTINGS = {"small": SMALL, "BTC": BTC_ONLY, "BTC and ETH": DEFAULT}

Say = Callable[[str], None]
Table = dict[str, Any]


def evaluate_venue(
    seeds: int,
    say: Say,
    minutes: float = MINUTES,
    regime: str = "",
    keep: Path | None = None,
    workers: Workers = HERE,
) -> Table:
    """The whole table. Raises ValueError for an unknown regime or a session that is too short, BadRecording."""
    if minutes < FEWEST or seeds < 1:
        raise ValueError(f"an evaluation needs at least {FEWEST:g} minutes and one seed")
    crowds = {seed: crowd_of(regime, seed) for seed in range(SEED, SEED + seeds)}
    found = sessions(crowds, minutes, keep, say, workers)
    data = recorded.folder()
    say("reading the recordings" if data else f"there are no recordings here ({recorded.VARIABLE} names their folder)")
    table = judged_table(found, data)
    return table | {
        "hash": named(list(crowds.values())),
        "regime": regime or "default",
        "seeds": list(crowds),
        "minutes": minutes,
        "speed": {name: _speed(listing, crowds[SEED], name, say) for name, listing in LISTINGS.items()},
    }


def judged_table(found: Sequence[Found], data: Path | None) -> Table:
    """Facts and predictability, with the recordings in `data` if there are any. Raises BadRecording."""
    return {
        "facts": beside(averaged([each.facts for each in found]), recorded_facts(data) if data else None),
        "predictability": {
            "paper": paper_predictability(found),
            "recorded": recorded_predictability(data) if data else None,
        },
    }


def _speed(listing: tuple[Spec, ...], crowd: Settings, name: str, say: Say) -> Table:
    say(f"timing the {name} list")
    return speed(VenueSettings(listing=listing, crowd=crowd), SEED, start_of(SEED))


# ------------------------------------------------------------ facts


def recorded_facts(data: Path) -> dict[str, Fact]:
    """Of the recordings; what only the paper market can tell (metaorders) is not among them. Raises BadRecording."""
    found = averaged([facts(track) for track in recorded.perpetual(data)])
    found["option_unchanged_share"] = unchanged_options(recorded.options(data))
    return found | option_facts(recorded_quotes(data))


def beside(ours: dict[str, Fact], theirs: dict[str, Fact] | None) -> Table:
    """By name, ours and the recordings'."""
    mine, others = listed(ours), listed(theirs or {})
    return {name: {"ours": value, "recorded": others.get(name)} for name, value in mine.items()}


# ------------------------------------------------------------ predictability


def paper_predictability(found: Sequence[Found]) -> Table:
    """`gain` of one regression for all sessions, trained on their first halves and judged on the later ones; `sessions`
    each by itself; `by_moving` for other shares of moving moments."""
    pairs = [halves(each.moments) for each in found]
    first, later = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    alone = [_gained(judged([one], [two])) for one, two in pairs]
    return {
        **_gained(judged(first, later)),
        "sessions": alone,
        "mean_of_sessions": sum(each["gain"] for each in alone) / len(alone),
        "by_moving": {_share(share): _gained(judged(first, later, share)) for share in SHARES},
    }


def recorded_predictability(data: Path) -> Table:
    """The inverse perpetual, trained on the earlier file and judged on the later; `halves` each file by itself;
    `others` the linear perpetuals. Raises BadRecording."""
    earlier, later = recorded.perpetual(data)
    return {
        **_gained(gain_across([earlier], [later])),
        "halves": [_gained(gain(earlier)), _gained(gain(later))],
        "by_moving": {_share(share): _gained(gain_across([earlier], [later], share)) for share in SHARES},
        "others": {name: _gained(gain(recorded.perpetual(data, name)[1])) for name in recorded.PERPETUALS
                   if name != recorded.ANCHOR},
    }  # fmt: skip


def _share(share: float) -> str:
    return f"{share:.2f}"


def _gained(found: Gain) -> Table:
    rounded: Table = msgspec.to_builtins(found)
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in rounded.items()}


# ------------------------------------------------------------ as lines


def lines(table: Table) -> Iterator[str]:
    """The table for a reader: one fact a line, ours, then the recordings'."""
    yield f"paper market {table['hash'][:16]}, {table['regime']}: seeds {table['seeds']}, {table['minutes']:g} minutes"
    width = 46
    yield f"{'':{width}} {'ours':>10} {'recorded':>10}"
    for name, pair in table["facts"].items():
        ours, theirs = pair["ours"], pair["recorded"]
        if not isinstance(ours, dict):
            yield f"{name:{width}} {_figure(ours)} {_figure(theirs)}"
            continue
        for key in ours:
            yield f"{name + ' ' + key:{width}} {_figure(ours[key])} {_figure((theirs or {}).get(key))}"
    yield from _predictability_lines(table["predictability"], width)
    for name, row in table["speed"].items():
        timed = f"{row['times']:g} times real time ({row['heard']:g} with everything heard)"
        what = f"{row['instruments']} instruments, {row['agents']} agents, {row['events_per_s']:g} events/s"
        yield f"{name} list: {timed}, {what}"


def _predictability_lines(both: Table, width: int) -> Iterator[str]:
    paper, theirs = both["paper"], both["recorded"]
    yield f"{'predictability, nats':{width}} {_figure(paper['gain'])} {_figure((theirs or {}).get('gain'))}"
    for who, found in (("paper", paper), ("recorded", theirs)):
        if found:
            yield (f"  {who}: {found['gain']:.4f} [{found['low']:.4f}, {found['high']:.4f}] by {found['best']}, "
                   f"threshold {found['threshold']:.3g} ticks")  # fmt: skip
    for share, found in paper["by_moving"].items():
        other = theirs["by_moving"][share]["gain"] if theirs else None
        yield f"{'  where ' + share + ' of training moments move':{width}} {_figure(found['gain'])} {_figure(other)}"


def _figure(value: float | None) -> str:
    return f"{'-':>10}" if value is None else f"{value:>10.4g}"
