"""Which world is plugged in: paper, test net, live, or a replay."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import hashlib
import json
import os
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from engine import messages as m
from engine.config import BadSettings, Config, Mode, parse
from engine.core import Core, Market
from engine.execution.cost_story import Ledger
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.shell import beside, passes, pressed
from engine.shell.clock import Clock
from engine.shell.feed import Feed
from engine.shell.jobs import Jobs
from engine.shell.options import URLS, CannotStart, Options, credentials
from engine.shell.registry import Registry, wanted
from engine.shell.replay import Replay
from engine.shell.reports import Reports
from engine.shell.run import Engine, until_cancelled
from engine.shell.serve import Serve
from engine.shell.store.folders import Meta, make_private, sessions_of
from engine.shell.store.journal import Journal
from engine.shell.store.tape import Tape
from engine.shell.store.writers import Recorder, Writer
from engine.shell.swaps import Swaps

VERSION = "0.1.0"
ANSWER_S = 3.0  # a screen gives up on a command that is not answered in ten


@functools.cache
def code_version() -> str:
    """The version, and what the engine's source hashes to: facts of other code may differ, and `verify` says so."""
    source = hashlib.sha256()
    package = Path(str(resources.files("engine")))
    for path in sorted(package.rglob("*.py")):
        source.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{VERSION}+{source.hexdigest()[:8]}"


def settings(options: Options) -> Config:
    """`settings.toml` of the data folder, if there is one, under this mode and seed. Raises CannotStart."""
    path = options.data / "settings.toml"
    try:
        config = parse(path.read_text()) if path.exists() else Config()
    except (BadSettings, OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{path}: {error}") from None
    return msgspec.structs.replace(config, mode=options.venue, seed=options.seed)


def passed(options: Options, client_id: str, checks: Sequence[passes.Check]) -> Path:
    """Keep what a probe found, as of now; the file it is in."""
    make_private(options.folder)
    found = passes.Pass(
        venue=options.venue, account=passes.account_of(client_id), machine=passes.machine(), t=time.time_ns(),
        code=code_version(), ok=all(check.ok for check in checks), checks=tuple(checks),
    )  # fmt: skip
    return passes.write(options.folder, found)


def end_paper_venue(options: Options) -> None:
    beside.end_paper_venue(options.folder)


# ---------------------------------------------------------------- the engine, live


async def live(options: Options, announce: Callable[[str], None]) -> None:
    """Run the engine until it is cancelled. Raises CannotStart, BadJournal, BadSession with a sentence."""
    config, secret = settings(options), credentials(options.venue)
    if options.venue == "live" and (why := passes.lacking(options.folder, secret.client_id, "live", time.time_ns())):
        raise CannotStart(f"live is not armed: {why}")
    make_private(options.folder)
    journal = Journal(options.folder / "journal.sqlite")
    try:
        url = beside.paper_venue(*_paper(options))["address"] if options.venue == "paper" else URLS[options.venue]
        async with _engine(options, config, journal) as engine:
            feed = Feed(url, lambda: secret, engine.on_link, engine.on_frame, speed=options.speed)
            engine.plug(feed.send, feed.hangup)
            engine.heed(lambda: pressed.found(options.folder), lambda: pressed.forget(options.folder))
            serve = _serve(options.venue, engine.core.desk.session)
            engine.screen.serve = serve
            address = await serve.start(engine, options.link_port)
            _record_address(options, address)
            announce(address)
            try:
                loops = [feed.run(), engine.tick(), engine.show(), engine.keep_frames(), engine.watch_models()]
                if options.venue == "paper":
                    loops.append(beside.keep_paper_venue(*_paper(options), lambda: engine.core.market.venue.up))
                await until_cancelled(*loops)
            finally:
                await serve.stop()
                (options.folder / "engine.json").unlink(missing_ok=True)
    finally:
        journal.close()
        if options.venue == "paper":
            end_paper_venue(options)


def _paper(options: Options) -> tuple[Path, beside.Wanted]:
    return options.folder, beside.Wanted(options.seed, options.speed, options.regime)


@contextlib.asynccontextmanager
async def _engine(options: Options, config: Config, journal: Journal) -> AsyncIterator[Engine]:
    """A core recovered from the journal, with its tape and its writers; closed in order, whatever happens."""
    desk = Desk()
    facts = list(journal.facts())
    for fact in facts:
        evolve(desk, fact)
    registry = Registry(options.data)
    model, weights, why = wanted(registry, config)
    if why:
        print(f"engine: the model {model} is not used: {why}", file=sys.stderr, flush=True)
    config, swaps = msgspec.structs.replace(config, model=weights.id if weights else ""), Swaps(registry)
    clock = await _clock(options)
    session = _session_name(options, clock)
    meta = Meta(name=session, mode=options.venue, started=clock.now(), code=code_version())
    tape = Tape.create(sessions_of(options.folder) / session, meta)
    engine = Engine(Core(Market(config, weights, models=swaps.get), desk), tape, clock)
    jobs = Jobs(options.data, swaps)
    engine.choose(swaps, jobs, Reports(options.data, options.venue))
    swaps.look()
    writer, recorder = _writers(engine, journal, tape, session)
    engine.outbox.durable(desk.facts)
    engine.screen.ledger = Ledger.of(facts)
    engine.screen.say(engine.core, facts[-500:])
    engine.take(m.Started, config=config, code=code_version(), model=config.model, seed=config.seed, session=session)
    if why:
        engine.on_model(model, f"{why}; this desk runs on baselines")
    try:
        yield engine
    finally:
        await jobs.close()
        writer.close()
        recorder.close()


def _writers(engine: Engine, journal: Journal, tape: Tape, session: str) -> tuple[Writer, Recorder]:
    """The two threads that wait for the disk, at work: the engine hears what is durable, and what broke."""
    loop = asyncio.get_running_loop()
    writer = Writer(
        journal, session,
        lambda n: _into(loop, engine.durable, n), lambda reason: _into(loop, engine.broken, reason),
    )  # fmt: skip
    recorder = Recorder(tape, lambda reason: _into(loop, engine.broken, reason))

    def mend() -> None:
        writer.mend()
        recorder.mend()

    engine.keep(writer.put, mend)
    writer.start()
    recorder.start()
    return writer, recorder


def _into(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *values: object) -> None:
    """From a writer's thread into the loop; a loop that has ended needs to know nothing any more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *values)


async def _clock(options: Options) -> Clock:
    """This machine's time; an accelerated paper venue's own time, asked of it, where it runs faster."""
    if options.venue != "paper" or options.speed == 1.0:
        return Clock()
    port = beside.paper_venue(*_paper(options))["port"]
    return Clock(await asyncio.to_thread(_venue_time, port), options.speed)


def _venue_time(port: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/public/get_time", timeout=5) as answer:
        return int(json.load(answer)["result"]) * 1_000_000


def _session_name(options: Options, clock: Clock) -> str:
    """UTC start; a second session in the same second gets a number."""
    stem = dt.datetime.fromtimestamp(clock.now() / 1e9, dt.UTC).strftime("%Y%m%d-%H%M%S")
    names = [stem, *(f"{stem}-{i}" for i in range(2, 1000))]
    return next(name for name in names if not (sessions_of(options.folder) / name).exists())


def _record_address(options: Options, address: str) -> None:
    record = options.folder / "engine.json"
    record.touch(mode=0o600)
    port = str(urlsplit(address).port)
    record.write_text(json.dumps({"address": address, "port": port, "pid": str(os.getpid())}))


def _serve(mode: Mode, session: str) -> Serve:
    """The engine's own link. Whoever starts an engine again may give it the token that screens know already."""
    welcome = m.Welcome(mode=mode, session=session, code=code_version())
    return Serve(welcome, token=os.environ.get("TIDEGATE_LINK_TOKEN", ""))


# ---------------------------------------------------------------- a replay


async def replay(options: Options, session: Path, announce: Callable[[str], None]) -> None:
    """Serve a recorded session until cancelled. No credentials, no venue, no outbox."""
    engine = Replay(session, Registry(options.data).find, code_version(), ANSWER_S)
    serve = _serve("replay", session.name)
    engine.screen.serve = serve
    address = await serve.start(engine, options.link_port)
    announce(address)
    try:
        await until_cancelled(engine.play(), engine.show())
    finally:
        await serve.stop()
