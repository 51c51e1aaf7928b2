"""The command `models`: what is in the registry, one model against another, promote and roll back.

An engine that runs on the data folder does the promoting itself, as a command of a person: so it uses the model from
its next step on, and its tape tells of it. Without one the record is written here, for the next start.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine import messages as m
from engine.client import LinkLost, attach
from engine.config import Mode
from engine.forecast.parameters import BadWeights
from engine.shell.options import Options, running_engine
from engine.shell.registry import Entry, Registry

ENGINE_S = 10.0  # in which a running engine has taken the model up, or said why not
USER = "command line"
LEAST_MINUTES, MOST_MINUTES = 0.1, 1440.0  # of a session: shorter ones have nothing to judge, longer ones do not end
VENUES: tuple[Mode, ...] = ("paper", "test", "live")


def models_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=list(_ACTIONS), default="list")
    parser.add_argument("models", nargs="*", metavar="ID", help="promote takes one, compare two, add a weights file")
    parser.add_argument("--data", type=Path, default=Path("~/.tidegate"), metavar="DIR", help="where models are kept")
    parser.add_argument("--seeds", type=int, default=3, help="compare: fresh sessions to judge on")
    parser.add_argument("--minutes", type=minutes_number, default=0.0, help="compare: of market in each")


def minutes_number(text: str) -> float:
    """Of market in a session; 0 stands for the default."""
    value = float(text)
    if value and not LEAST_MINUTES <= value <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text} is not between {LEAST_MINUTES:g} and {MOST_MINUTES:g} minutes")
    return value


def models(chosen: argparse.Namespace) -> int:
    """Raises ValueError with a sentence for what cannot be done."""
    count, work = _ACTIONS[chosen.what]
    if len(chosen.models) != count:
        raise ValueError(f"'models {chosen.what}' takes {count or 'no'} model{'' if count == 1 else 's'}")
    chosen.data = chosen.data.expanduser()
    value, text = work(chosen)
    print(msgspec.json.encode(value).decode() if chosen.json else text, flush=True)
    return 0


Said = tuple[dict[str, Any], str]


def _list(chosen: argparse.Namespace) -> Said:
    registry = Registry(chosen.data)
    rows, record = registry.entries(), registry.record()
    value = {"champion": registry.champion(), "models": msgspec.to_builtins(rows),
             "history": msgspec.to_builtins(record.history)}  # fmt: skip
    return value, "\n".join(_line(row) for row in rows) or "no models here: the desk runs on baselines"


def _line(row: Entry) -> str:
    place = f"{'champion' if row.champion else 'candidate'}, {row.where}"
    if row.bad:
        return f"{row.id}  {place}, NOT USABLE: {row.bad}"
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in row.log_loss.items() if loss is not None)
    return f"{row.id}  {place}, {row.sessions} sessions of crowd {row.crowd_hash[:8] or '–'}; direction {losses or '–'}"


def _add(chosen: argparse.Namespace) -> Said:
    model = Registry(chosen.data).add(Path(chosen.models[0]))
    return {"model": model}, f"{model} is kept as a candidate"


def _promote(chosen: argparse.Namespace) -> Said:
    model = chosen.models[0]
    Registry(chosen.data).load(model)  # refused here and now, whether or not an engine runs
    told = _tell(chosen, m.PromoteModel(model=model))
    if not told:
        Registry(chosen.data).promote(model, USER)
    return _done(chosen, told)


def _roll_back(chosen: argparse.Namespace) -> Said:
    told = _tell(chosen, m.RollBackModel())
    if not told:
        Registry(chosen.data).roll_back(USER)
    return _done(chosen, told)


def _done(chosen: argparse.Namespace, told: list[str]) -> Said:
    model = Registry(chosen.data).champion()
    where = f"; the engine on the {' and the '.join(told)} venue uses it now" if told else "; engines start with it"
    return {"champion": model, "engines": told}, f"{model} is the champion{where}"


def _tell(chosen: argparse.Namespace, verb: m.PromoteModel | m.RollBackModel) -> list[str]:
    """Venues whose engines have taken it up. The first does what is asked; others follow it to its champion."""
    told: list[str] = []
    for venue in VENUES:
        address = running_engine(Options(venue=venue, data=chosen.data))
        if address is not None:
            wanted = m.PromoteModel(model=Registry(chosen.data).champion()) if told else verb
            asyncio.run(_ask(address, wanted))
            told.append(venue)
    return told


async def _ask(address: str, verb: m.PromoteModel | m.RollBackModel) -> None:
    """Until the engine says that it uses the model, or why not. Raises ValueError."""
    try:
        async with asyncio.timeout(ENGINE_S), attach(address) as desk:
            async for first in desk:
                known = max((view.n for view in first if isinstance(view, m.NoteView)), default=0)
                break
            answer = await desk.ask(verb, user=USER, role="admin")
            if not answer.ok:
                raise BadWeights(answer.text)
            async for views in desk:
                for note in views:
                    if isinstance(note, m.NoteView) and note.n > known and note.model and note.level != "info":
                        if note.level == "bad":
                            raise BadWeights(note.text)
                        return
    except (LinkLost, TimeoutError) as error:
        raise ValueError(f"the running engine did not answer: {str(error) or 'it took too long'}") from None


def _compare(chosen: argparse.Namespace) -> Said:
    registry = Registry(chosen.data)
    pair = [registry.load(model) for model in chosen.models]  # refused before anything heavy is imported

    from engine.research.compare import compare, lines
    from engine.research.evaluate import MINUTES, say

    table = compare(pair[0], pair[1], chosen.seeds, chosen.minutes or MINUTES, say)
    return table, "\n".join(lines(table))


_ACTIONS: dict[str, tuple[int, Callable[[argparse.Namespace], Said]]] = {
    "list": (0, _list),
    "compare": (2, _compare),
    "promote": (1, _promote),
    "rollback": (0, _roll_back),
    "add": (1, _add),
}
