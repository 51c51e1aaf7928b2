"""Views of a made-up desk, and a desk that speaks them through the engine's own link."""

from __future__ import annotations

from collections.abc import Sequence

from engine import messages as m
from engine.config import Mode
from engine.domain import Side

NAME = "BTC-27MAR26-80000-C"
OTHER = "BTC-27MAR26-90000-C"


def status(n: int = 1, mode: Mode = "paper") -> m.StatusView:
    return m.StatusView(
        mode=mode, session="s", feed="live", lag_ms=5.0, now_ms=1_000.0 * n, n=n, facts=0, model="lstm-1",
        skill=m.Skill(verdict="edge", gain=0.03), credits=0.9, margin=0.1, delta_coin=0.0, delta_usd=0.0, gamma=0.0,
        vega=0.0, pnl=0.0, next_expiry_ms=None, killed="", reconciled=True, halted="", instruments=2,
    )  # fmt: skip


def ladder(name: str = NAME, t: float = 0.0) -> m.LadderView:
    return m.LadderView(
        instrument=name, unit=0.0001, digits=4, steps=((50, 5),), lot=0.1, contract_label="BTC", t_ms=t, stale="",
        state="open", bids=((525, 10.0),), asks=((530, 7.0),), own=(), micro=527.0, fair=528.0, mark=528.0,
        forward=80_000.0, mark_iv=46.9, fair_iv=46.9, bid_iv=46.0, ask_iv=47.0, delta=0.4, coin_delta=0.36, trades=(),
    )  # fmt: skip


def surface(t: float = 0.0) -> m.SurfaceView:
    return m.SurfaceView(coin="BTC", t_ms=t, strikes=(), smiles=(), flags=())


def note(n: int, text: str = "") -> m.NoteView:
    return m.NoteView(n=n, t_ms=float(n), level="info", who="engine", text=text or f"line {n}")


class Asked:
    """A desk behind the engine's link that answers every command and remembers it."""

    def __init__(self) -> None:
        self.verbs: list[m.Verb] = []
        self.users: list[tuple[str, m.Role]] = []
        self.looks: list[tuple[str, ...]] = []
        self.works: list[tuple[str, m.Role, m.Job]] = []
        self.drives: list[tuple[str, float]] = []
        self.views: list[m.View] = [status(), note(1), note(3), *(ladder(name) for name in (NAME, OTHER))]

    def ask(self, ask: m.Ask) -> m.Answer:
        self.verbs.append(ask.verb)
        self.users.append((ask.user, ask.role))
        return m.Answer(id=ask.id, ok=True, text="done")

    def drive(self, drive: m.Drive) -> m.Answer:
        self.drives.append((drive.do, drive.value))
        return m.Answer(id=drive.id, ok=True, text=drive.do)

    def look(self, client: int, instruments: tuple[str, ...]) -> None:
        self.looks.append(instruments)

    def estimate(self, asked: m.AskEstimate) -> m.Estimated:
        return m.Estimated(id=asked.id, reason=f"nothing is known of {asked.order.instrument}")

    def why(self, why: m.Why) -> m.Answer:
        return m.Answer(id=why.id, ok=True, text=f"because of {why.instrument}")

    def cost(self, asked: m.AskCost) -> m.Costed:
        if "none" in asked.parents:
            return m.Costed(id=asked.id, reason="there is no parent none")
        return m.Costed(id=asked.id, name=f"costs.{asked.form}", data=" ".join(asked.parents).encode())

    def work(self, work: m.Work) -> m.Answer:
        self.works.append((work.user, work.role, work.job))
        return m.Answer(id=work.id, ok=True, text="begun")

    def recall(self, after: int) -> Sequence[m.View]:
        return [view for view in self.views if not isinstance(view, m.NoteView) or view.n > after]


SUBMIT = {"do": "submit", "instrument": NAME, "side": "buy", "quantity": 20, "limit": 0.0545, "minutes": 10,
          "algorithm": "adaptive", "urgency": 5, "dial": "manual", "auto_limit": 3}  # fmt: skip
SUBMITTED = m.SubmitParent(instrument=NAME, side=Side.BUY, quantity=20, limit=0.0545, minutes=10.0)
