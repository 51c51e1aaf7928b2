"""The command line: `python -m engine COMMAND`. Each command exits 0 or not, and says why in one sentence."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import gc
import getpass
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from engine.paper.crowd.settings import REGIMES
from engine.shell import modes
from engine.shell.options import CannotStart, Options, credentials, venue_url
from engine.shell.registry import Registry
from engine.shell.store.folders import BadSession, meta_of
from engine.shell.store.journal import BadJournal


def main(arguments: list[str] | None = None) -> int:
    """Run one command; every expected failure becomes one line on stderr and a non-zero exit."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except (CannotStart, BadSession, BadJournal, ValueError, OSError) as error:
        print(f"{chosen.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# ---------------------------------------------------------------- run, venue


def options_of(chosen: argparse.Namespace) -> Options:
    return Options(
        venue=chosen.venue,
        data=chosen.data.expanduser(),
        seed=chosen.seed,
        speed=chosen.speed,
        regime=chosen.regime,
        replay=chosen.replay,
        link_port=getattr(chosen, "link_port", 0),
    )


def _run(chosen: argparse.Namespace) -> int:
    options = options_of(chosen)

    def announce(address: str) -> None:
        print(f"engine: {address}", flush=True)

    if options.replay is not None:
        from engine.research.imports.session import for_replay

        session = for_replay(options, options.replay)
        return until_stopped(lambda: modes.replay(options, session, announce))
    return until_stopped(lambda: modes.live(options, announce))


def until_stopped(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run until it ends, or until Ctrl-C, a SIGTERM or a closed terminal asks it to; all end it in order."""

    async def supervised() -> None:
        task = asyncio.ensure_future(work())
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if not task.cancelling():  # a second one would cut the orderly end short
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` keeps its meaning
                loop.add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    gc.freeze()  # what the imports made stays: looking it through for garbage would hold a decision up by some 60 ms
    asyncio.run(supervised())
    return 0


def _venue(chosen: argparse.Namespace) -> int:
    from engine.shell import venue

    try:
        settings = venue.settings_for(chosen.regime, chosen.listing)
        return venue.run(chosen.port, chosen.seed, chosen.speed, chosen.account or ["paper:paper"], settings=settings)
    except venue.CannotServe as error:
        raise CannotStart(str(error)) from None


# ---------------------------------------------------------------- sessions


def _import(chosen: argparse.Namespace) -> int:
    from engine.research.imports.session import import_into

    if chosen.out.exists():
        raise CannotStart(f"{chosen.out} is there already")
    count = import_into(chosen.out.resolve(), chosen.paths, Registry(Options().data))
    _tell(chosen, {"session": str(chosen.out), "inputs": count}, f"{count} inputs in {chosen.out}")
    return 0


def _sessions(chosen: argparse.Namespace) -> int:
    from engine.shell.store.sessions import sessions

    rows = [msgspec.to_builtins(row) for row in sessions(chosen.data.expanduser() / chosen.venue)]
    _tell(chosen, {"sessions": rows}, "\n".join(_session_line(row) for row in rows) or "no sessions yet")
    return 0


def _session_line(row: dict[str, Any]) -> str:
    began = dt.datetime.fromtimestamp(row["start"] / 1e9, dt.UTC)
    minutes = max(row["end"] - row["start"], 0) / 60e9
    size = f"{row['inputs']} inputs, {row['size'] / 1e6:.1f} MB"
    note = f"  {row['note']}" if row["note"] else ""
    return f"{row['name']}  {row['mode']}, {row['state']}, {began:%Y-%m-%d %H:%M} UTC, {minutes:.1f} min, {size}{note}"


def _verify(chosen: argparse.Namespace) -> int:
    from engine.shell.fold import verify

    folder = chosen.session if (chosen.session / "session.json").exists() else None
    if folder is None:
        folder = chosen.data.expanduser() / chosen.venue / "sessions" / chosen.session.name

    def progress(n: int) -> None:
        print(f"verify: {n} inputs", file=sys.stderr, flush=True)

    models = Registry(chosen.data.expanduser()).find
    found = verify(folder.resolve(), models, recompute=chosen.recompute, progress=progress)
    lines = [f"{found.inputs} inputs give {found.facts} facts; state {found.digest[:16]}", *found.gaps]
    lines += [f"the model {model} is not here: what was decided by its forecasts may differ" for model in found.missing]
    lines.append("the same facts as in the journal" if found.same else f"DIFFERENT: {found.first_difference}")
    recorded, ours = meta_of(folder.resolve()).code, modes.code_version()
    if not found.same and recorded != ours:
        lines.append(f"it was recorded by {recorded}; this is {ours}, whose rules may decide otherwise")
    _tell(chosen, msgspec.to_builtins(found), "\n".join(lines))
    return 0 if found.same else 1


# ---------------------------------------------------------------- kill, train


def _kill(chosen: argparse.Namespace) -> int:
    from engine.shell.kill import kill

    done = asyncio.run(kill(options_of(chosen), account=chosen.account))
    told = "the engine is killed too" if done.engine_told else "no engine was running to be told"
    if done.engine_silent:
        told = "AN ENGINE RUNS HERE AND DOES NOT ANSWER: end it, or it may send again"
    text = f"nothing is open: {done.cancelled} orders cancelled, confirmed by the venue in {done.ms:.0f} ms; {told}"
    _tell(chosen, msgspec.to_builtins(done), text)
    return 1 if done.engine_silent else 0


def _probe(chosen: argparse.Namespace) -> int:
    """Progress on stderr, so that `--json` prints nothing else on stdout."""
    from engine.shell import passes, probe

    options, out = options_of(chosen), sys.stderr if chosen.json else sys.stdout
    secret, config = credentials(options.venue), modes.settings(options)

    def say(check: passes.Check) -> None:
        print(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}", file=out, flush=True)

    found = asyncio.run(probe.probe(venue_url(options), secret, config.coin, say))
    kept = modes.passed(options, secret.client_id, found)
    text = f"{sum(check.ok for check in found)} of {len(found)} checks passed; kept in {kept}"
    _tell(chosen, {"ok": all(check.ok for check in found), "checks": msgspec.to_builtins(found)}, text)
    return 0 if all(check.ok for check in found) else 1


def _drill(chosen: argparse.Namespace) -> int:
    from engine.shell.drill import drill

    done = asyncio.run(drill(options_of(chosen), chosen.orders, chosen.user, chosen.repeats))
    armed = "armed again" if done.rearmed else "NOT armed again: do so by hand"
    text = f"{done.orders} orders gone {done.ms:.0f} ms after the press; delta left {done.delta:+.4f}; {armed}"
    _tell(chosen, msgspec.to_builtins(done), text)
    return 0 if done.rearmed else 1


def _tell(chosen: argparse.Namespace, value: Any, text: str) -> None:
    """The result: exactly one JSON object with `--json`, else text."""
    print(msgspec.json.encode(value).decode() if chosen.json else text, flush=True)


# ---------------------------------------------------------------- the words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description="Tidegate's engine, without a screen.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "the engine without a screen; prints the address to attach to")
    desk_options(run)
    run.add_argument("--link-port", type=port_number, default=0, help="of the engine's own link")

    venue = _command(commands, "venue", _venue, "the paper venue alone")
    venue.add_argument("--port", type=port_number, default=8765)
    venue.add_argument("--seed", type=int, default=1)
    venue.add_argument("--speed", type=positive, default=1.0)
    venue.add_argument("--account", action="append", metavar="ID:SECRET", help="may be given again (paper:paper)")
    venue.add_argument("--regime", choices=REGIMES, default="normal", help="of the crowd")
    venue.add_argument("--listing", choices=("default", "btc", "small"), default="default", help="BTC and ETH, or less")

    imports = _command(commands, "import", _import, "frame logs, Tardis files and sweeps of chains into a session")
    imports.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="merged in order of time; plain or .gz")
    imports.add_argument("--out", type=Path, required=True, metavar="SESSION")

    _folder(_command(commands, "sessions", _sessions, "list the recorded sessions"))

    verify = _command(commands, "verify", _verify, "replay a tape and compare every fact with the journal")
    verify.add_argument("session", type=Path)
    verify.add_argument("--recompute", action="store_true", help="run the model again instead of feeding its record")
    _folder(verify)

    _emergencies(commands)
    _research(commands)
    return parser


def _emergencies(commands: Any) -> None:
    """What is done when it matters, and its rehearsals."""
    kill = _command(commands, "kill", _kill, "cancel and verify at the venue, without a running engine")
    kill.add_argument("--account", action="store_true", help="every order of the account, not only ours")
    desk_options(kill)

    drill = _command(commands, "drill", _drill, "rest orders that nobody takes, kill, and see how long it takes")
    drill.add_argument("--orders", type=int, choices=range(1, 51), default=50, metavar="N", help="up to 50")
    drill.add_argument("--repeats", type=int, choices=range(1, 101), default=1, metavar="N", help="so many times over")
    drill.add_argument("--user", default=getpass.getuser(), metavar="NAME", help="who presses, and arms again")
    desk_options(drill)

    text = "check on the venue, from here, everything the code assumes; live does not arm before it has passed"
    desk_options(_command(commands, "probe", _probe, text))


def _research(commands: Any) -> None:
    """Training and evaluation bring their own options; torch is imported only when one of them runs."""
    from engine.research import commands as research

    for name, (add, work, text) in research.COMMANDS.items():
        add(_command(commands, name, work, text))


def _command(commands: Any, name: str, work: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    made.set_defaults(run=work, command=name)
    made.add_argument("--json", action="store_true", help="print exactly one JSON object, last")
    return made


def desk_options(parser: argparse.ArgumentParser) -> None:
    """Options that the desk and the engine share."""
    _folder(parser)
    parser.add_argument("--replay", type=Path, metavar="PATH", help="a session or a recording, instead of a venue")
    parser.add_argument("--seed", type=int, default=1, help="of the paper venue's crowd")
    parser.add_argument("--speed", type=positive, default=1.0, help="of the paper venue's time")
    parser.add_argument("--regime", choices=REGIMES, default="normal", help="of the paper venue's crowd")


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--venue", choices=("paper", "test", "live"), default="paper")
    parser.add_argument("--data", type=Path, default=Path("~/.tidegate"), metavar="DIR", help="journal and sessions")


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def port_number(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to 65535; 0 takes any free one)")
    return value


if __name__ == "__main__":
    sys.exit(main())
