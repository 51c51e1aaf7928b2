"""`evaluate forecast`: the shipped weights on fresh paper sessions, in the JSON of CONTRACT.md.

The sessions live in the regimes and in the held-out settings in turn; the table is of all of them together, with the
directions of each regime beside it. Each session is run by a desk that forecasts as it does live (its policy rows are
counted), judged, and forgotten but for the arrays that the table is made of; these are kept, so an evaluation that was
broken off goes on where it was. At some moments the oracle is asked. The rivals are trained on the sessions that the
weights were trained on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.config import DEFAULT_POLICY, STEP_NS, WARM_STEPS
from engine.forecast.parameters import BadWeights, Weights
from engine.paper.venue import VenueSettings
from engine.research.cluster import HERE, Workers
from engine.research.crowds import ALL, TURNS, Session, in_turn, named_of
from engine.research.dataset import FOCUS, STEPS_PER_MINUTE, Recorder, Stretch, Watcher, probed, simulated
from engine.research.fitting import Plan, Say
from engine.research.folds import whole
from engine.research.hidden import hindsight
from engine.research.judging import Judged, judge, merged, outputs_of
from engine.research.kept import MARKET, Kept
from engine.research.oracle import FUTURES
from engine.research.oracle_moments import Moment, gap, judge_moments, moments
from engine.research.oracle_orders import Asked, Found, filled, judge_orders, orders, pushed
from engine.research.rivals import Rival, simple
from engine.research.rivals_trained import foreign, sessions_of, trained
from engine.research.scoring import Table, tabled
from engine.research.targets import AHEAD, Part
from engine.research.train import FRESH_SEED, summary
from engine.shell import registry
from engine.view.skill import flag_of

SKIPPED = Plan().fresh  # sessions that the weights' own scores were taken on
MINUTES = 10.0
ORACLE = 1000  # moments of one instrument that the oracle is asked about
ROOMS = (*MARKET, *(f"research/{name}.py" for name in (
    "evaluate", "judging", "oracle", "oracle_moments", "oracle_orders", "dataset", "probes", "entered", "targets",
    "rivals", "rivals_trained", "knowing", "networks", "frozen", "gathered", "hidden",
)))  # fmt: skip
"""Code that a judged session hangs on."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `oracle` moments in all sessions together, each of `futures`; `rivals` are trained. `regime`
    is one of the crowd's or `held-out`, `all` in turn; empty is `all` where there are enough seeds for that, else the
    settings as they are."""

    seeds: int = 3
    minutes: float = MINUTES
    oracle: int = ORACLE
    futures: int = FUTURES
    rivals: bool = True
    settings: VenueSettings | None = None
    focus: int = FOCUS
    workers: Workers = HERE
    regime: str = ""
    orders: Asked = Asked()  # of the oracle, too: not without it

    @property
    def sessions(self) -> list[Session]:
        """Raises ValueError for none, or an unknown regime."""
        sessions = fresh(self.seeds, self.regime)
        for session in sessions:
            session.venue(self.settings)
        return sessions

    @property
    def times(self) -> int:
        """How often the oracle is asked in each session: about so many instruments can be asked about at once."""
        return -(-self.oracle // (self.seeds * (self.focus + 1))) if self.seeds else 0


def say(text: str) -> None:
    """Progress, for a person; also from a process that simulates."""
    print(text, file=sys.stderr, flush=True)


def evaluate_forecast(
    weights: Weights, wanted: Wanted, say: Say, keep: Path | None = None, training: Path | None = None
) -> Table:
    """Judge the weights on sessions that neither training nor its scores saw. In `keep` lies what was found so far, in
    `training` what training left."""
    sessions = wanted.sessions
    found, notes = _judged(weights, wanted, say, keep, training)
    judged = merged([found[session] for session in sessions])
    table = tabled(weights, judged, f"paper sessions {seeds_of(wanted.seeds)}, {wanted.minutes:g} minutes each")
    table |= {"rows": rows(judged), "crowd": named_of(sessions, wanted.settings), "sessions": _listed(sessions, wanted)}
    table["rows_flagged"] = [name for name, share in table["rows"].items() if flag_of(share)]
    table["notes"] = [*notes, *foreign(weights, wanted.settings), *_unseen(weights, sessions, wanted.settings)]
    _oracle(table, judged)
    _of_orders(table, judged)
    table["by_regime"] = by_regime(weights, found)
    say(summary(table))
    out: dict[str, Any] = msgspec.to_builtins(table)
    return out


def _judged(
    weights: Weights, wanted: Wanted, say: Say, keep: Path | None, training: Path | None
) -> tuple[dict[Session, Judged], list[str]]:
    """By session, and what must be known of the rivals."""
    sessions = wanted.sessions
    question = msgspec.structs.replace(wanted, workers=HERE)
    kept = Kept(keep, "forecast", weights.id, question, named_of(sessions, wanted.settings), rooms=ROOMS)
    found = {session: one for session in sessions if (one := kept.read(session.seed)) is not None}
    missing = [session for session in sessions if session not in found]
    say(f"{len(sessions)} sessions of {wanted.minutes:g} minutes, {len(found)} of them as kept")
    if not missing:
        return found, []
    rivals, notes = (
        trained(weights, wanted.settings, wanted.workers, say, keep, training) if wanted.rivals else ([], [])
    )
    run = partial(judged_session, wanted=wanted, weights=weights, rivals=rivals, say=say)
    for session, one in zip(missing, wanted.workers.each(run, missing), strict=True):
        kept.write(session.seed, one)
        found[session] = one
        say(f"session {session.seed} {session.regime}".rstrip() + f" is judged: {len(found)} of {len(sessions)}")
    return found, notes


def judged_session(session: Session, wanted: Wanted, weights: Weights, rivals: Sequence[Rival], say: Say) -> Judged:
    """One session: run, asked about, judged."""
    seed, truths, sent = session.seed, list[Moment](), list[Found]()
    desk = Watcher(seed, session.venue(wanted.settings), weights)
    recorder = Recorder(f"paper-{seed}", hindsight(desk.simulation))
    desk.look(wanted.focus)
    prober = desk.prober()
    steps = round(wanted.minutes * STEPS_PER_MINUTE)
    for step in range(steps):
        prints = desk.step()
        recorder.step(desk.market, prints)
        prober.step(step)
        if step in (times := _times(wanted.times, steps)):
            truths += moments(desk, weights, wanted.futures)
            say(f"session {seed}: the oracle is asked, {times.index(step) + 1} of {len(times)} times")
        if wanted.oracle and step in _times(wanted.orders.times, steps):
            sent.append(orders(desk, wanted.orders))
    parts = [whole(stretch) for stretch in probed(recorder.finish(), desk.began + STEP_NS, prober.done)]
    said = outputs_of(weights, parts)
    market = desk.market
    counts = [[market.fired.get(row.name, 0) for row in market.config.policy]]
    judged = judge(weights, parts, rivals, said) | {"fired": np.array(counts), "looks": np.array([market.looks])}
    stateless = [rival for rival in (*simple(weights), *rivals) if rival.name != "past_only"]
    judged |= judge_moments(weights, parts, said, stateless, truths)
    return judged | judge_orders(weights, parts, said, sent, wanted.orders)


def _times(count: int, steps: int) -> list[int]:
    """Steps at which the oracle is asked, evenly between the warm-up and the last label."""
    first, last = 2 * WARM_STEPS, steps - AHEAD["direction"] - 1
    return [first + (2 * k + 1) * (last - first) // (2 * count) for k in range(count)] if last > first else []


def rows(judged: Judged) -> dict[str, float]:
    """Share of moments, both sides of everything in focus, in which each policy row fired, with the verdicts as they
    stood then."""
    looks = max(int(judged["looks"].sum()), 1)
    return {row.name: int(n) / looks for row, n in zip(DEFAULT_POLICY, judged["fired"].sum(axis=0), strict=True)}


def by_regime(weights: Weights, found: Mapping[Session, Judged]) -> dict[str, Table]:
    """Of each regime: its direction as in the table, how often rows fired, the intervals of the direction."""
    out: dict[str, Table] = {}
    for regime in dict.fromkeys(session.regime for session in found):
        judged = merged([one for session, one in found.items() if session.regime == regime])
        table = tabled(weights, judged, "")
        _oracle(table, judged)
        shown = {name: band for name, band in table["intervals"].items() if name.startswith(("direction_vs", "gap"))}
        out[regime or "usual"] = {
            "n": table["n"], "sessions": len(judged["looks"]), "log_loss": table["direction"]["log_loss"],
            "gap_closed": table["direction"]["gap_closed"], "ece": table["direction"]["ece"], "rows": rows(judged),
            "intervals": shown,
        }  # fmt: skip
    return out


def _listed(sessions: Sequence[Session], wanted: Wanted) -> list[Table]:
    """Each one with the hash of the settings it ran under."""
    return [{"seed": session.seed, "regime": session.regime or "usual", "crowd": named_of([session], wanted.settings)}
            for session in sessions]  # fmt: skip


def _unseen(weights: Weights, sessions: Sequence[Session], base: VenueSettings | None) -> list[str]:
    """A note of the crowds among the sessions that the weights were not trained on."""
    known = {named_of([session], base) for session in sessions_of(weights)}
    new = dict.fromkeys(session.regime for session in sessions if named_of([session], base) not in known)
    return [f"no session of training was of these settings: {', '.join(new)}"] if known and new else []


def _oracle(table: Table, judged: Judged) -> None:
    found = gap(judged)
    if found is None:
        return
    direction = table["direction"]
    direction["log_loss"]["oracle"] = found.losses["oracle"]
    direction["gap_closed"] = found.closed.shares.get("lstm")
    direction["oracle"] = {
        "n": found.closed.n, "log_loss": found.losses, "expected_log_loss": found.closed.expected,
        "gap_closed": found.closed.shares,
    }  # fmt: skip
    table["intervals"]["gap_closed"] = found.closed.band


def _of_orders(table: Table, judged: Judged) -> None:
    for head, found in (("fill", filled(judged)), ("impact", pushed(judged))):
        table[head]["oracle"] = None
        if found is not None:
            mine = {
                "n": found.closed.n,
                found.measure: found.closed.expected,
                "gap_closed": found.closed.shares["lstm"],
            }
            table[head]["oracle"] = mine | ({"brier": found.brier} if found.brier else {})
            table["intervals"][f"{head}_gap_closed"] = found.closed.band


# ------------------------------------------------------------ sessions


def seeds_of(count: int) -> list[int]:
    """Of sessions that no weights were trained or scored on. Raises ValueError for none."""
    if count < 1:
        raise ValueError("at least one session is judged: --seeds 1")
    return [FRESH_SEED + SKIPPED + k for k in range(count)]


def fresh(count: int, regime: str = "") -> list[Session]:
    """Sessions of one regime, of all in turn, or as `Wanted` says. Raises ValueError for none."""
    turns = TURNS if regime == ALL or (not regime and count >= len(TURNS)) else (regime,)
    return in_turn(seeds_of(count), turns)


def fresh_sessions(count: int, minutes: float, say: Say, workers: Workers = HERE) -> Iterator[list[Part]]:
    """One session after the other: no more of them are in memory than are simulated at once."""
    sessions = fresh(count)
    for k, stretches in enumerate(workers.each(partial(_simulate, minutes=minutes), sessions), 1):
        say(f"session {sessions[k - 1].seed}: {k} of {count}")
        yield [whole(stretch) for stretch in stretches]


def _simulate(session: Session, minutes: float) -> list[Stretch]:
    return simulated(session.seed, minutes, session.venue())


def shipped() -> Weights:
    """The weights that come with the desk. Raises BadWeights where none do."""
    paths = registry.shipped()
    if not paths:
        raise BadWeights(f"there are no weights in {registry.shipped_folder()}; `make train` makes them")
    return Weights.from_bytes(paths[-1].read_bytes())
