"""Input, Fact, Effect, View: every message of the desk, as tagged frozen structs.

One set of types serves memory, tape, journal and wire. Inputs and facts are stored as msgpack (`pack`, `unpack_*`);
views reach the browser as JSON. Adding an optional field is compatible with old tapes; renaming one is not.

- An **input** is all that can happen: it has a number `n` and a time `t` (ns UTC), both given at the one door.
- A **fact** is what was decided or learned. It has its own number `n`, a time and the input that caused it.
- An **effect** is what a shell performs. `after` names the fact that must be durable first, 0 for "at once".
- A **view** is what a screen may know. Only the newest of a topic matters, except notes, which are numbered.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.config import Config, Mode
from engine.domain import Instrument, Side

# ---------------------------------------------------------------- commands: what a person may ask


class _Verb(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    pass


Dial = Literal["manual", "semi", "auto"]
Algorithm = Literal["twap", "adaptive"]


class SubmitParent(_Verb, tag="submit"):
    """Decimals as the trader typed them; decide turns them into units and lots, or refuses."""

    instrument: str
    side: Side
    quantity: float
    limit: float
    minutes: float = 10.0
    algorithm: Algorithm = "adaptive"
    urgency: int = 5
    participation: float = 0.25
    min_child: float = 0.0
    max_child: float = 0.0  # 0: twice the base child
    dial: Dial = "manual"
    auto_limit: float = 3.0  # semi-automatic: children up to this many contracts go by themselves


class Pause(_Verb, tag="pause"):
    parent: str


class Resume(_Verb, tag="resume"):
    parent: str


class CancelParent(_Verb, tag="cancel_parent"):
    parent: str


class SetDial(_Verb, tag="dial"):
    parent: str
    dial: Dial


class Approve(_Verb, tag="approve"):
    """`revision` is what the trader saw. Quantity and worst price, if given, are the trader's edit, in decimals."""

    proposal: str
    revision: int
    quantity: float | None = None
    worst: float | None = None


class Reject(_Verb, tag="reject"):
    proposal: str
    reason: str = ""


class SendOrder(_Verb, tag="order"):
    """A single order by hand, from the ladder: post-only at its price, or immediate-or-cancel up to it."""

    instrument: str
    side: Side
    quantity: float
    price: float
    post_only: bool = True


class CancelChild(_Verb, tag="cancel"):
    child: str


class Kill(_Verb, tag="kill"):
    """Block new orders and cancel ours, or with `account` every order of the account."""

    account: bool = False


class Rearm(_Verb, tag="rearm"):
    reason: str


Verb = SubmitParent | Pause | Resume | CancelParent | SetDial | Approve | Reject | SendOrder | CancelChild | Kill | Rearm
Role = Literal["viewer", "trader", "admin"]

# ---------------------------------------------------------------- inputs


class _Input(msgspec.Struct, frozen=True, kw_only=True, tag_field="in"):
    n: int
    t: int


class Started(_Input, tag="started"):
    """An engine began. `code` is the version of the code, `model` the id of the weights, empty for none."""

    config: Config
    code: str
    model: str
    seed: int
    session: str
    instruments: tuple[Instrument, ...] = ()  # known beforehand, where a recording has no instrument answer


class Frame(_Input, tag="frame"):
    """Bytes from the venue, exactly as they came."""

    data: bytes


class Link(_Input, tag="link"):
    """The venue's connection came up (authenticated or not) or went down."""

    up: bool
    authenticated: bool = False
    reason: str = ""


class Tick(_Input, tag="tick"):
    """The clock's 100 ms step. The core has no other clock."""


class Command(_Input, tag="command"):
    id: str
    user: str
    role: Role
    verb: Verb


class Sent(_Input, tag="sent"):
    """The shell has written this call to the socket."""

    call: str


class Failed(_Input, tag="failed"):
    """The shell did not write this call: the link was down, or it had gone stale while it became durable."""

    call: str
    reason: str


class Focus(_Input, tag="focus"):
    """What all screens together look at: subscribed at full depth and forecast."""

    instruments: tuple[str, ...]


class ModelSwap(_Input, tag="model"):
    model: str


Input = Started | Frame | Link | Tick | Command | Sent | Failed | Focus | ModelSwap


class Forecasts(msgspec.Struct, frozen=True, tag_field="in", tag="forecasts"):
    """Beside the inputs on the tape: the model's outputs that step `n` made and decisions may have read."""

    n: int
    values: dict[str, Forecast]


# ---------------------------------------------------------------- forecasts: plain values passed by the core

SIZES = (1.0, 2.0, 5.0, 10.0, 25.0)  # contracts, of the slippage curve


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's forecast at one step. Probabilities sum to 1; ticks are ticks at that price.

    `slip_buy[i]` is the expected cost beyond the touch of taking SIZES[i] contracts now, `(lo, mid, hi)`. `impact_*`
    is the push on the micro-price after 5 s of taking 10. `fill_*` is P(a passive order at that touch fills in 5 s).
    `iv_move` is the relative change of IV in 60 s, in per cent, `(lo, mid, hi)`; bands are 80 %.
    `drift_ticks` is the expected move of the fair micro-price in 1 s.
    """

    t: int
    source: str  # id of the weights, or "baseline"
    warm: bool
    familiar: bool  # the inputs look like those of the training
    up: float
    down: float
    stable: float
    drift_ticks: float
    slip_buy: tuple[tuple[float, float, float], ...]
    slip_sell: tuple[tuple[float, float, float], ...]
    impact_buy: float
    impact_sell: float
    fill_bid: float
    fill_ask: float
    iv_move: tuple[float, float, float]
    spread_ticks: float
    depth: float  # contracts at the touch, mean of both sides, expected in 10 s


# ---------------------------------------------------------------- facts


class _Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    n: int = 0
    t: int = 0
    cause: int = 0


class Began(_Fact, tag="began"):
    """An engine took up the desk; whatever was running is paused until reconciled and resumed."""

    session: str
    config: Config
    code: str
    model: str


class EpochBegan(_Fact, tag="epoch"):
    """The venue's account began anew (a paper venue restarted): earlier orders and positions are gone there."""

    epoch: str


class Refused(_Fact, tag="refused"):
    command: str
    user: str
    reason: str


class ParentAccepted(_Fact, tag="parent"):
    id: str
    user: str
    instrument: str
    side: Side
    quantity: int  # lots
    limit: int  # units
    start: int
    end: int
    algorithm: Algorithm
    urgency: int
    participation: float
    min_child: int  # lots
    max_child: int  # lots
    dial: Dial
    auto_limit: int  # lots
    arrival: float | None  # micro-price in units when it was accepted


class ParentPaused(_Fact, tag="paused"):
    parent: str
    by: str
    reason: str


class ParentResumed(_Fact, tag="resumed"):
    """`rebased` is the time from which the rest of the quantity is spread anew."""

    parent: str
    by: str
    rebased: int


class ParentHalted(_Fact, tag="halted"):
    """A protective row halts children until `until`."""

    parent: str
    row: str
    until: int


class DialSet(_Fact, tag="dial"):
    parent: str
    by: str
    dial: Dial


class ParentEnded(_Fact, tag="parent_ended"):
    parent: str
    outcome: Literal["done", "cancelled", "expired"]
    by: str


class Proposed(_Fact, tag="proposed"):
    """A child order wanted: an intent with the numbers it stands on. `worst` bounds the price, in units."""

    id: str
    parent: str
    instrument: str
    side: Side
    quantity: int
    worst: int
    cross: bool
    row: str
    reason: str
    until: int
    forecast: Forecast | None
    cost_ticks: float | None  # expected, now, against the micro-price
    wait_ticks: float | None  # expected if it waits


class Refreshed(_Fact, tag="refreshed"):
    proposal: str
    revision: int
    quantity: int
    worst: int
    cross: bool
    row: str
    reason: str
    forecast: Forecast | None
    cost_ticks: float | None
    wait_ticks: float | None


class Approved(_Fact, tag="approved"):
    proposal: str
    revision: int
    by: str
    quantity: int
    worst: int
    edited: bool


class Rejected(_Fact, tag="rejected"):
    proposal: str
    by: str
    reason: str


class Lapsed(_Fact, tag="lapsed"):
    """A proposal ended without an order: its time ran out, its row no longer holds, or its parent stopped."""

    proposal: str
    reason: str


class OrderRequested(_Fact, tag="requested"):
    """An order is about to leave. `child` is its label at the venue; `call` the id of the request that carries it."""

    child: str
    call: str
    parent: str  # empty for an order by hand
    proposal: str
    by: str
    instrument: str
    side: Side
    quantity: int
    price: int
    post_only: bool
    valid_until: int
    mid: float | None  # micro-price in units at the decision


class OrderSent(_Fact, tag="order_sent"):
    child: str


class OrderOpened(_Fact, tag="opened"):
    child: str
    order: str
    price: int  # post-only orders may have been re-priced by the venue


class Filled(_Fact, tag="filled"):
    """A fill of ours, once per venue trade id. `fee` is coin; `child` is empty for a fill made elsewhere."""

    trade: str
    child: str
    instrument: str
    side: Side
    quantity: int
    price: int
    fee: float
    maker: bool
    at: int  # the venue's time


class OrderEnded(_Fact, tag="order_ended"):
    """Filled, cancelled, rejected by the venue, or lapsed: known never to have rested or traded there."""

    child: str
    state: Literal["filled", "cancelled", "rejected", "lapsed"]
    reason: str


class CancelRequested(_Fact, tag="cancel_requested"):
    child: str
    call: str
    by: str
    reason: str


class Asked(_Fact, tag="asked"):
    """An order without an answer is asked for at the venue, by its label."""

    child: str
    call: str


class Killed(_Fact, tag="killed"):
    by: str
    account: bool
    call: str


class KillConfirmed(_Fact, tag="kill_confirmed"):
    """The venue says that none is open. `took` is from the press, ns; `delta` is the coin delta left."""

    took: int
    delta: float


class Rearmed(_Fact, tag="rearmed"):
    by: str
    reason: str


class Reconciling(_Fact, tag="reconciling"):
    """The venue is asked what it holds; nothing new goes out until `Reconciled`."""

    reason: str


class Reconciled(_Fact, tag="reconciled"):
    differences: tuple[str, ...]


class PositionSet(_Fact, tag="position"):
    """A position as the venue states it, where ours differed. `size` is lots, signed."""

    instrument: str
    size: int
    reason: str


Fact = (
    Began | EpochBegan | Refused | ParentAccepted | ParentPaused | ParentResumed | ParentHalted | DialSet | ParentEnded
    | Proposed | Refreshed | Approved | Rejected | Lapsed | OrderRequested | OrderSent | OrderOpened | Filled | OrderEnded
    | CancelRequested | Asked | Killed | KillConfirmed | Rearmed | Reconciling | Reconciled | PositionSet
)  # fmt: skip

# ---------------------------------------------------------------- effects


class Call(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="call"):
    """A request to the venue. `child` names the order it would create; such a call is looked at once more on release."""

    id: str
    method: str
    params: dict[str, Any]
    after: int = 0
    child: str = ""


class Hangup(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="hangup"):
    """Close the connection and make a new one: the venue says things that cannot be."""

    reason: str


Effect = Call | Hangup

# ---------------------------------------------------------------- views: decimals and milliseconds, for a screen

Verdict = Literal["edge", "no edge", "unknown yet", "drift"]
FeedState = Literal["live", "stale", "down"]


class _View(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """A head's rolling score against its baseline: gain per forecast (above 0 is better) and its 90 % band."""

    verdict: Verdict
    gain: float | None = None
    lo: float | None = None
    hi: float | None = None
    n: int = 0


class StatusView(_View, tag="status"):
    mode: Mode
    session: str
    feed: FeedState
    lag_ms: float | None
    now_ms: float
    n: int  # number of the last input
    facts: int  # number of the last fact
    model: str
    skill: Skill
    credits: float | None  # share of the venue's rate limit left
    margin: float | None  # share of equity used
    delta_coin: float | None
    delta_usd: float | None
    gamma: float | None
    vega: float | None
    pnl: float | None  # coin, today
    next_expiry_ms: float | None
    killed: str  # empty, or who pressed it and what came of it
    reconciled: bool
    halted: str  # empty, or why the engine neither proposes nor sends
    instruments: int


class LadderView(_View, tag="ladder"):
    """Levels are `[units, contracts]`, best first. A price is `units × unit`, shown with `digits`."""

    instrument: str
    unit: float
    digits: int
    steps: tuple[tuple[int, int], ...]  # (above units, tick in units)
    lot: float
    contract_label: str  # "BTC" or "USD"
    t_ms: float
    stale: str  # empty, or why the book cannot be trusted
    state: str  # of the instrument at the venue: open, halted, …
    bids: tuple[tuple[int, float], ...]
    asks: tuple[tuple[int, float], ...]
    own: tuple[OwnOrder, ...]
    micro: float | None  # units
    fair: float | None  # units: the surface's price at the present forward
    mark: float | None  # units
    forward: float | None  # USD
    mark_iv: float | None  # per cent
    fair_iv: float | None  # per cent
    bid_iv: float | None
    ask_iv: float | None
    delta: float | None
    coin_delta: float | None
    trades: tuple[tuple[float, int, float, str], ...]  # (ms, units, contracts, "buy"|"sell"), newest last


class OwnOrder(msgspec.Struct, frozen=True, kw_only=True):
    child: str
    side: Side
    units: int
    remaining: float
    state: str


class GaugesView(_View, tag="gauges"):
    """The forecast of one instrument, its verdicts by head, and the thresholds that the policy holds against it."""

    instrument: str
    t_ms: float
    forecast: Forecast | None
    warm: float  # 0 … 1
    note: str  # empty, or in words why there is no forecast or it is not to be trusted
    underlying_ticks: float | None  # expected move that comes from the underlying, × coin delta
    own_ticks: float | None  # the option's own residual
    move_threshold_ticks: float | None  # "stable" is a move below this
    skill: dict[str, Skill]  # direction, slippage, volatility, fill, impact, spread
    thresholds: dict[str, float]  # the policy's: up, down, slippage, volatility
    firing: dict[str, float]  # policy row → share of moments in which it fired
    fragility: float | None  # 0 … 1
    fragility_ofi: float | None


class SmilePoint(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    strike: float
    call: bool
    bid_iv: float | None  # per cent
    ask_iv: float | None
    mid_iv: float | None
    mark_iv: float | None


class Smile(msgspec.Struct, frozen=True, kw_only=True):
    """One expiry: quotes as points, the fit as a curve. IVs per cent, strikes USD."""

    expiry_ms: float
    code: str
    forward: float
    years: float
    points: tuple[SmilePoint, ...]
    curve_strikes: tuple[float, ...]
    curve_iv: tuple[float, ...]
    atm_iv: float | None
    skew: float | None  # vol points per 10 % of log-moneyness
    rms_bp: float | None  # fit against mid, vol basis points
    note: str


class SurfaceView(_View, tag="surface"):
    coin: str
    t_ms: float
    strikes: tuple[float, ...]
    smiles: tuple[Smile, ...]
    grid: tuple[tuple[float | None, ...], ...]  # mid IV per expiry × strike, per cent; None where no quote
    fitted: tuple[tuple[float | None, ...], ...]  # the fit at the same cells
    flags: tuple[str, ...]


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    trade: str
    child: str
    instrument: str
    side: Side
    amount: float
    price: float
    fee: float
    maker: bool
    t_ms: float


class ChildRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    parent: str
    instrument: str
    side: Side
    amount: float
    filled: float
    price: float
    average: float | None
    post_only: bool
    state: str
    reason: str
    by: str
    t_ms: float


class ParentRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    instrument: str
    side: Side
    amount: float
    filled: float
    working: float
    scheduled: float
    limit: float
    average: float | None
    arrival: float | None
    shortfall_ticks: float | None
    algorithm: Algorithm
    dial: Dial
    state: str
    reason: str
    start_ms: float
    end_ms: float
    user: str


class ProposalRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    revision: int
    parent: str
    instrument: str
    side: Side
    amount: float
    worst: float
    digits: int
    lot: float
    cross: bool
    row: str
    reason: str
    born_ms: float
    until_ms: float
    up: float | None
    cost_ticks: float | None
    wait_ticks: float | None


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    size: float
    delta: float | None
    gamma: float | None
    vega: float | None
    mark: float | None


class DeskView(_View, tag="desk"):
    facts: int
    parents: tuple[ParentRow, ...]
    children: tuple[ChildRow, ...]
    fills: tuple[FillRow, ...]
    proposals: tuple[ProposalRow, ...]
    positions: tuple[PositionRow, ...]


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    t_ms: float
    kind: str
    text: str


class ReplayView(_View, tag="replay"):
    session: str
    start_ms: float
    end_ms: float
    now_ms: float
    playing: bool
    speed: float
    step: int  # number of the input shown
    steps: int
    markers: tuple[Marker, ...]
    note: str


class ChainView(_View, tag="chain"):
    """What can be looked at: name, kind, expiry and strike, in the venue's order."""

    instruments: tuple[tuple[str, str, float, float], ...]


class NoteView(_View, tag="note"):
    """A numbered line of the decision log and the alerts; must not be lost."""

    n: int
    t_ms: float
    level: Literal["info", "good", "warn", "bad"]
    who: str
    text: str
    instrument: str = ""
    parent: str = ""


View = StatusView | LadderView | GaugesView | SurfaceView | DeskView | ReplayView | ChainView | NoteView

# ---------------------------------------------------------------- the engine's own link: screens and scripts attach


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="hello"):
    token: str


class Look(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="look"):
    """What this client looks at now; replaces what it looked at before."""

    instruments: tuple[str, ...]


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="ask"):
    id: str
    user: str
    role: Role
    verb: Verb


class Drive(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="drive"):
    """Move a replay: the desk itself has no such verb."""

    id: str
    do: Literal["play", "pause", "step", "seek", "speed"]
    value: float = 0.0  # seek: ms UTC; speed: times; step: inputs


class Recall(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="recall"):
    """Send everything again, notes from `after` on: asked on a gap in the numbers."""

    after: int = 0


Up = Hello | Look | Ask | Drive | Recall


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="welcome"):
    mode: Mode
    session: str
    code: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="answer"):
    """The engine's word on a command: done, or refused with a reason."""

    id: str
    ok: bool
    text: str


class Views(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="views"):
    views: tuple[View, ...]


class Goodbye(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="goodbye"):
    reason: str


Down = Welcome | Answer | Views | Goodbye

# ---------------------------------------------------------------- packing

pack = msgspec.msgpack.Encoder().encode
unpack_taped = msgspec.msgpack.Decoder(Input | Forecasts).decode
unpack_fact = msgspec.msgpack.Decoder(Fact).decode
unpack_up = msgspec.msgpack.Decoder(Up).decode
unpack_down = msgspec.msgpack.Decoder(Down).decode
json_bytes = msgspec.json.Encoder().encode
