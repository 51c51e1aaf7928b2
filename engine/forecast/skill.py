"""Is the model any better than its baseline, here and now? Each gauge's rolling score, with its band.

Theory of operation. Once a second each instrument's forecast is kept beside the baseline's; when its label is known
(not before: a 60 s forecast is judged after 60 s) the gain goes into the head's tally. A label is made of what was
seen at the step it falls due; if the book or the surface is missing then, there is no label.

direction   1, 10, 60 s: fair micro-price against the frozen threshold; over the frozen or its own past rates, nats
slippage    next step: cost of 10 beyond the touch of now; over the book walked as it stands, pinball in ticks
fill        5 s: the queue ahead at the touch traded, or the price traded through; over such a base rate, nats
impact      5 s after a print of others, scaled to 10 by the square-root law; over a share of the mechanical push
spread      10 s; over the spread as it stands
volatility  60 s: relative change of the fitted IV; over persistence with its usual band, pinball in per cent

Verdicts are of score.py's `Tally`, over blocks of 10 s or of the horizon. While more than UNLIKE of the forecasts of
the last half minute are of inputs unlike the training, every verdict is "drift": the policy falls back on baselines.

What falls outside the bands also teaches how far to stretch them (adaptive.py).

Deterministic, of bounded memory, cheap: a few microseconds per instrument and step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from engine.domain import NS, Kind, Side
from engine.forecast.adaptive import Stretches
from engine.forecast.baseline import IMPACT_SIZE, Rates, Standing, contracts
from engine.forecast.features import Context
from engine.forecast.labels import DIRECTIONS, HORIZON_NS, MIN_PRINT, costs, fitted_iv, outcome_of, place, to_ten
from engine.forecast.parameters import Weights
from engine.forecast.score import Frequencies, Tally, huber, log_distance, log_gain, pinball
from engine.market.told import Print
from engine.messages import Forecast, Skill

HEADS = tuple(HORIZON_NS)
_HORIZONS = tuple((head, HORIZON_NS[head] // NS) for head in DIRECTIONS)
LATE_NS = NS // 2  # a step missing for longer than this leaves its labels unknown
PENDING = 20_000  # a head's forecasts waiting for their labels
UNLIKE = 0.25  # unfamiliar share of forecasts above which every verdict is "drift"; ordinary sessions stay under 0.01
UNLIKE_WEIGHT = 0.003  # of a step in that share: half a minute's memory


class Sample(msgspec.Struct, array_like=True):
    """A forecast waiting for its label: what stood then, what was said, what the baseline said."""

    due: int
    name: str
    tick: int
    was: list[float]
    said: list[float]
    base: list[float]


class Monitor:
    """Call `step` at each 100 ms step; read `verdicts`. Without weights there is nothing to judge: "no edge"."""

    def __init__(self, weights: Weights | None) -> None:
        self.id = weights.id if weights else "baseline"
        self._header = weights.header if weights else None
        self._tallies = {head: Tally(max(10 * NS, HORIZON_NS[head])) for head in HEADS}
        self._pending: dict[str, deque[Sample]] = {head: deque(maxlen=PENDING) for head in HEADS}
        self._sampled: dict[str, int] = {}
        self._moves: dict[str, Frequencies] = {}
        self._fills: dict[str, tuple[Frequencies, Frequencies]] = {}
        self._pushes: dict[str, Sample] = {}  # what would be said of a print that comes before the next step
        self._unlike = 0.0
        self.stretches = Stretches()

    def step(
        self,
        t: int,
        forecasts: Mapping[str, Forecast],
        baselines: Mapping[str, Forecast],
        standings: Mapping[str, Standing],
        contexts: Mapping[str, Context],
        prints: Sequence[tuple[str, Print]] = (),
        own_fills: Collection[str] = (),
    ) -> None:
        """Judge what falls due at `t`, then keep what is said now. `baselines` and `standings` are the Forecaster's of
        this step, `prints` the public trades since the last one (never our own fills), `own_fills` the instruments that
        we traded: what was waiting there is forgotten, since what comes of it is partly our doing."""
        if self.id == "baseline":
            return
        if own_fills:
            for head, waiting in self._pending.items():
                kept = (sample for sample in waiting if sample.name not in own_fills)
                self._pending[head] = deque(kept, maxlen=PENDING)
        self._print(t, prints, standings)
        for head in HEADS:
            waiting = self._pending[head]
            while waiting and waiting[0].due <= t:
                sample = waiting.popleft()
                now = standings.get(sample.name)
                if now is not None and t - sample.due <= LATE_NS:
                    self._judge(head, t, sample, now, contexts[sample.name])
        self._pushes = {}
        warm = {n: f for n, f in forecasts.items() if f.warm and f.source == self.id and n in standings}
        if warm:
            self._unlike += UNLIKE_WEIGHT * (sum(not f.familiar for f in warm.values()) / len(warm) - self._unlike)
        for name, forecast in warm.items():
            self._keep(t, name, forecast, baselines[name], standings[name], contexts[name])

    @property
    def unlike(self) -> float:
        """Share of the forecasts of late that were of inputs unlike the training."""
        return self._unlike

    def verdicts(self) -> dict[str, Skill]:
        if self.id == "baseline":
            return {head: Skill(verdict="no edge") for head in HEADS}
        skills = {head: tally.skill() for head, tally in self._tallies.items()}
        if self._unlike > UNLIKE:
            return {head: msgspec.structs.replace(skill, verdict="drift") for head, skill in skills.items()}
        return skills

    # keeping

    def _keep(self, t: int, name: str, said: Forecast, base: Forecast, now: Standing, context: Context) -> None:
        push = [said.impact_buy, said.impact_sell], [base.impact_buy, base.impact_sell]
        self._pushes[name] = Sample(t + HORIZON_NS["impact"], name, now.tick, [now.micro], *push)
        if t - self._sampled.get(name, 0) < NS:
            return
        self._sampled[name] = t
        fills, at = self._filled(name, now.instrument.kind), IMPACT_SIZE
        for head, seconds in _HORIZONS:
            odds = said.odds(seconds)
            if odds is not None:
                moves = self._moved(head, name, now.instrument.kind)
                self._wait(t, head, name, now, place(now, context), [odds.up, odds.down, odds.stable], moves.rates())
        self._wait(t, "slippage", name, now, [now.ask, now.bid], [*said.slip_buy[at], *said.slip_sell[at]],
                   [*base.slip_buy[at], *base.slip_sell[at]])  # fmt: skip
        self._wait(t, "fill", name, now, [now.bid, now.bid_lots, now.ask, now.ask_lots, 0.0, 0.0],
                   [said.fill_bid, said.fill_ask], [each.rates()[0] for each in fills])  # fmt: skip
        self._wait(t, "spread", name, now, [], [said.spread_ticks], [base.spread_ticks])
        iv = fitted_iv(context)
        if iv is not None:
            self._wait(t, "volatility", name, now, [iv], list(said.iv_move), list(base.iv_move))

    def _wait(
        self, t: int, head: str, name: str, now: Standing, was: list[float], said: list[float], base: Sequence[float]
    ) -> None:
        was = [float(value) for value in was]  # units and lots too: a state taken up again must be the same to the byte
        self._pending[head].append(Sample(t + HORIZON_NS[head], name, now.tick, was, said, list(base)))

    def _moved(self, head: str, name: str, kind: Kind) -> Frequencies:
        key = f"{head} {name}"
        if key not in self._moves:
            odds = (self._header.base(kind) if self._header else Rates()).odds(HORIZON_NS[head] // NS)
            self._moves[key] = Frequencies((odds.up, odds.down, odds.stable))
        return self._moves[key]

    def _filled(self, name: str, kind: Kind) -> tuple[Frequencies, Frequencies]:
        if name not in self._fills:
            r = self._header.base(kind) if self._header else Rates()
            self._fills[name] = (
                Frequencies((r.fill_bid, 1.0 - r.fill_bid)),
                Frequencies((r.fill_ask, 1.0 - r.fill_ask)),
            )
        return self._fills[name]

    # judging

    def _judge(self, head: str, t: int, sample: Sample, now: Standing, context: Context) -> None:
        if head in DIRECTIONS:
            gain = self._direction(head, sample, now, context)
        else:
            gain = getattr(self, f"_{head}")(sample, now, context)
        if gain is not None:
            self._tallies[head].add(t, gain)

    def _direction(self, head: str, sample: Sample, now: Standing, context: Context) -> float | None:
        here = place(now, context)
        if len(here) != len(sample.was):
            return None  # the fair price came or went: the two places cannot be compared
        assert self._header is not None
        kind = now.instrument.kind
        outcome = outcome_of((here[0] - sample.was[0]) / sample.tick, self._header.threshold(kind, head))
        self._moved(head, sample.name, kind).saw(outcome)
        return log_gain(sample.said[outcome], sample.base[outcome])

    def _slippage(self, sample: Sample, now: Standing, context: Context) -> float | None:
        buy, sell = costs(now, sample.was[0], sample.was[1], sample.tick)
        gain, kind = 0.0, now.instrument.kind
        for k, y in ((0, buy[IMPACT_SIZE]), (3, sell[IMPACT_SIZE])):
            said = _band(sample.said, k)
            self.stretches.saw("slippage", kind, said, y)
            gain += pinball(_band(sample.base, k), y) - pinball(said, y)
        return gain / 2

    def _fill(self, sample: Sample, now: Standing, context: Context) -> float | None:
        bid, _, ask, _, bid_done, ask_done = sample.was
        done = (bool(bid_done) or now.ask <= bid, bool(ask_done) or now.bid >= ask)
        gain = 0.0
        for k, past in enumerate(self._fills[sample.name]):
            said, base = sample.said[k], sample.base[k]
            gain += log_gain(said, base) if done[k] else log_gain(1.0 - said, 1.0 - base)
            past.saw(0 if done[k] else 1)
        return gain / 2

    def _impact(self, sample: Sample, now: Standing, context: Context) -> float | None:
        sign, scale = sample.was[1], sample.was[2]
        y = sign * (now.micro - sample.was[0]) / sample.tick * scale
        return huber(y - sample.base[0]) - huber(y - sample.said[0])

    def _spread(self, sample: Sample, now: Standing, context: Context) -> float | None:
        y = (now.ask - now.bid) / sample.tick
        return log_distance(y, sample.base[0]) - log_distance(y, sample.said[0])

    def _volatility(self, sample: Sample, now: Standing, context: Context) -> float | None:
        iv = fitted_iv(context)
        if iv is None:
            return None
        y = 100.0 * (iv / sample.was[0] - 1.0)
        said = _band(sample.said, 0)
        self.stretches.saw("volatility", now.instrument.kind, said, y)
        return pinball(_band(sample.base, 0), y) - pinball(said, y)

    # prints

    def _print(self, t: int, prints: Sequence[tuple[str, Print]], standings: Mapping[str, Standing]) -> None:
        taken: dict[tuple[str, Side], int] = {}
        for name, trade in prints:
            if trade.plain:
                taken[name, trade.side] = taken.get((name, trade.side), 0) + trade.lots
        for sample in self._pending["fill"]:
            _advance_queue(sample, prints, standings.get(sample.name))
        for (name, side), lots in taken.items():
            said, now = self._pushes.get(name), standings.get(name)
            if said is None or now is None:
                continue
            size = contracts(now.instrument, lots, said.was[0])
            if size >= MIN_PRINT:
                k = 0 if side is Side.BUY else 1
                was = [said.was[0], float(side.sign), to_ten(size)]
                self._pending["impact"].append(Sample(said.due, name, said.tick, was, [said.said[k]], [said.base[k]]))

    def dump(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "tallies": {head: tally.dump() for head, tally in self._tallies.items()},
            "pending": {head: [msgspec.to_builtins(s) for s in waiting] for head, waiting in self._pending.items()},
            "sampled": dict(self._sampled),
            "moves": {name: past.dump() for name, past in self._moves.items()},
            "fills": {name: [past.dump() for past in pair] for name, pair in self._fills.items()},
            "pushes": {name: msgspec.to_builtins(s) for name, s in self._pushes.items()},
            "unlike": self._unlike,
            "stretches": self.stretches.dump(),
        }

    @classmethod
    def load(cls, weights: Weights | None, value: dict[str, Any]) -> Monitor:
        made = cls(weights)
        for head in value["tallies"].keys() & set(HEADS):  # dumps of before there were longer horizons lack these
            made._tallies[head].load(value["tallies"][head])
            made._pending[head].extend(msgspec.convert(value["pending"][head], list[Sample]))
        made._sampled = dict(value["sampled"])
        made._moves = {name: Frequencies.load(raw) for name, raw in value["moves"].items()}
        for name, (bid, ask) in value["fills"].items():
            made._fills[name] = Frequencies.load(bid), Frequencies.load(ask)
        made._pushes = msgspec.convert(value["pushes"], dict[str, Sample])
        made._unlike, made.stretches = value["unlike"], Stretches.load(value["stretches"])
        return made


def _advance_queue(sample: Sample, prints: Sequence[tuple[str, Print]], now: Standing | None) -> None:
    """Take what traded off the queue ahead of a passive order at each touch; mark the sides that would have filled."""
    was = sample.was
    for name, trade in prints:
        if name != sample.name or not trade.plain:
            continue
        if trade.side is Side.SELL and trade.units <= was[0]:
            was[1] -= trade.lots if trade.units == was[0] else was[1] + 1
        elif trade.side is Side.BUY and trade.units >= was[2]:
            was[3] -= trade.lots if trade.units == was[2] else was[3] + 1
    if was[1] < 0 or (now is not None and now.ask <= was[0]):
        was[4] = 1.0
    if was[3] < 0 or (now is not None and now.bid >= was[2]):
        was[5] = 1.0


def _band(values: list[float], start: int) -> tuple[float, float, float]:
    return values[start], values[start + 1], values[start + 2]
