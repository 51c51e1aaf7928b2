"""The research commands of the command line. Heavy imports happen when one of them runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.research.models import minutes_number, models, models_options

if TYPE_CHECKING:
    from engine.forecast.parameters import Weights

Adder = Callable[[argparse.ArgumentParser], None]
Work = Callable[[argparse.Namespace], int]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=0, help="simulated sessions to train on; 0 takes the default")
    parser.add_argument("--minutes", type=minutes_number, default=0.0, help="of market in each; 0 takes the default")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, help="the weights file; by default the folder of the shipped ones")
    parser.add_argument("--data", type=Path, default=Path("~/.tidegate"), metavar="DIR", help="where sessions are kept")
    _cluster_option(parser)


def _cluster_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cluster", default="", metavar="ADDRESS",
                        help="a Dask scheduler (tcp://HOST:PORT) that runs the sessions, instead of processes here; "
                        "its workers need this code, and training the same --data folder")  # fmt: skip


def _train(chosen: argparse.Namespace) -> int:
    from engine.research.cluster import Workers
    from engine.research.train import train_shipped

    keep, workers = chosen.data.expanduser() / "training", Workers(address=chosen.cluster)
    path, scores = train_shipped(chosen.seeds, chosen.minutes, chosen.device, chosen.out, _say, keep, workers)
    if chosen.json:
        print(msgspec.json.encode({"weights": str(path), "scores": scores}).decode())
    else:
        print(f"{path}")
    return 0


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("forecast", "venue", "surface", "execution"))
    parser.add_argument("--seeds", type=int, help="fresh sessions to judge on; 3, and for execution 300, unless said")
    parser.add_argument("--minutes", type=minutes_number, default=0.0, help="of market in each; 0 takes the default")
    parser.add_argument("--oracle", type=int, default=-1, help="forecast: moments it is asked about; 0 for none")
    parser.add_argument("--no-rivals", action="store_true", help="forecast: train no rivals, only those in the weights")
    parser.add_argument("--sessions", type=Path, nargs="+", default=[], metavar="PATH",
                        help="forecast: sessions, recordings or folders of them, not fresh ones: trained here on "
                        "the earlier, judged on the later, the shipped weights beside")  # fmt: skip
    parser.add_argument("--networks", action="store_true", help="forecast --sessions: train the network rivals too")
    parser.add_argument("--model", default="", metavar="ID", help="forecast: of the registry, instead of the shipped")
    parser.add_argument("--regime", default="",
                        help="of the paper venue's crowd, 'held-out', or for forecasts 'all' of these in turn, which "
                        "is the default where there are seven seeds or more; else the usual settings")  # fmt: skip
    parser.add_argument("--picture", type=Path, metavar="FILE", help="the table as a picture, SVG")
    parser.add_argument("--table", type=Path, metavar="FILE",
                        help="forecast: what --json printed before, drawn and told again, not evaluated")  # fmt: skip
    parser.add_argument("--data", type=Path, default=Path("~/.tidegate"), metavar="DIR", help="where results are kept")
    _execution_options(parser)
    _cluster_option(parser)


def _execution_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--algorithms", default="", metavar="A,B", help="execution: these only")
    parser.add_argument("--policy", type=Path, metavar="FILE",
                        help="execution: settings (TOML) whose [[policy]] rows and [execution] are tried")  # fmt: skip
    parser.add_argument("--tuning", action="store_true",
                        help="execution: on seeds for choosing settings by, not those of the figures")  # fmt: skip
    parser.add_argument("--others", type=int, help="execution: seeds for all but Adaptive and TWAP (60)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="execution: where runs are kept, instead of --data")
    parser.add_argument("--processes", type=int, default=0, help="execution: at once, here (2)")


def _evaluate(chosen: argparse.Namespace) -> int:
    if chosen.seeds is None:
        chosen.seeds = 300 if chosen.what == "execution" else 3
    work = {"forecast": _evaluate_forecast, "venue": _evaluate_venue, "surface": _evaluate_surface,
            "execution": _evaluate_execution}  # fmt: skip
    return work[chosen.what](chosen)


def _evaluate_execution(chosen: argparse.Namespace) -> int:
    from engine.config import Config, parse
    from engine.paper.crowd.settings import REGIMES
    from engine.research.cluster import PROCESSES, Workers
    from engine.research.evaluate import shipped
    from engine.research.evaluate_execution import OTHERS, Wanted, evaluate_execution
    from engine.research.execution_orders import ALGORITHMS
    from engine.research.execution_tables import lines
    from engine.research.picture_execution import picture
    from engine.shell.registry import Registry

    data = chosen.data.expanduser()
    wanted = Wanted(
        seeds=chosen.seeds, minutes=chosen.minutes,
        algorithms=tuple(chosen.algorithms.split(",")) if chosen.algorithms else ALGORITHMS,
        others=OTHERS if chosen.others is None else chosen.others,
        regimes=(chosen.regime,) if chosen.regime else REGIMES, tuning=chosen.tuning,
        config=parse(chosen.policy.read_text(encoding="utf-8")) if chosen.policy else Config(),
        workers=Workers(chosen.processes or PROCESSES, chosen.cluster),
    )  # fmt: skip
    weights = Registry(data).load(chosen.model) if chosen.model else shipped()
    table = evaluate_execution(weights, wanted, _say, chosen.keep or data / "evaluations")
    if chosen.picture is not None:
        _draw(chosen.picture, picture(table))
    print(msgspec.json.encode(table).decode() if chosen.json else "\n".join(lines(table)))
    return 0


def _evaluate_forecast(chosen: argparse.Namespace) -> int:
    if chosen.table is not None:
        return _told(chosen, _saved(chosen.table))
    from engine.research.cluster import Workers
    from engine.research.evaluate import MINUTES, ORACLE, Wanted, evaluate_forecast, say, shipped
    from engine.shell.registry import Registry

    data = chosen.data.expanduser()
    weights = Registry(data).load(chosen.model) if chosen.model else shipped()
    if chosen.sessions:
        return _evaluate_recorded(chosen, weights)
    wanted = Wanted(
        seeds=chosen.seeds, minutes=chosen.minutes or MINUTES, rivals=not chosen.no_rivals,
        oracle=ORACLE if chosen.oracle < 0 else chosen.oracle, regime=chosen.regime,
        workers=Workers(address=chosen.cluster),
    )  # fmt: skip
    return _told(chosen, evaluate_forecast(weights, wanted, say, data / "evaluations", data / "training"))


def _told(chosen: argparse.Namespace, table: dict[str, Any]) -> int:
    _draw_forecast(chosen, table)
    encoded = msgspec.json.encode(table)
    print(encoded.decode() if chosen.json else msgspec.json.format(encoded).decode())
    return 0


def _saved(path: Path) -> dict[str, Any]:
    """Raises ValueError for anything else than a table of forecasts, OSError."""
    try:
        table: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} holds no table: {error}") from error
    if "direction" not in table:
        raise ValueError(f"{path} holds no table of forecasts")
    return table


def _draw_forecast(chosen: argparse.Namespace, table: dict[str, Any]) -> None:
    from engine.research.picture_forecast import picture

    if chosen.picture is not None:
        _draw(chosen.picture, picture(table))


def _draw(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8")
    _say(f"the picture is {path}")


def _evaluate_recorded(chosen: argparse.Namespace, weights: Weights) -> int:
    from engine.research.evaluate_recorded import Asked, evaluate_recorded

    keep = chosen.data.expanduser() / "evaluations"
    table = evaluate_recorded(weights, chosen.sessions, Asked(networks=chosen.networks), _say, keep)
    if "direction" in table:
        _draw_forecast(chosen, table)
    print(msgspec.json.encode(table).decode() if chosen.json else "\n".join(table["notes"]))
    return 0


def _evaluate_venue(chosen: argparse.Namespace) -> int:
    from engine.research.cluster import Workers
    from engine.research.evaluate_venue import MINUTES, evaluate_venue, lines
    from engine.research.picture import picture

    keep, workers = chosen.data.expanduser() / "evaluations", Workers(address=chosen.cluster)
    table = evaluate_venue(chosen.seeds, _say, chosen.minutes or MINUTES, chosen.regime, keep, workers)
    if chosen.picture is not None:
        _draw(chosen.picture, picture(table))
    print(msgspec.json.encode(table).decode() if chosen.json else "\n".join(lines(table)))
    return 0


def _evaluate_surface(chosen: argparse.Namespace) -> int:
    from engine.research.evaluate_surface import drawn_sweep, evaluate_surface, lines
    from engine.research.picture_surface import picture
    from engine.research.recorded import folder

    found = folder()
    if found is None:
        _say("the real chains are not here: TIDEGATE_SHARED_DATA names the folder that holds them")
        return 1
    table = evaluate_surface(found, _say)
    if chosen.picture is not None:
        _draw(chosen.picture, picture(table, *drawn_sweep(found)))
    print(msgspec.json.encode(table).decode() if chosen.json else "\n".join(lines(table)))
    return 0


def _bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a row; may be given again")


def _bench(chosen: argparse.Namespace) -> int:
    from engine.research.benchmark import alone, bench, lines, rows

    unknown = [name for name in chosen.only if name not in rows()]
    if unknown:
        _say(f"there is no row {', '.join(unknown)}: there are {', '.join(rows())}")
        return 2
    alone()
    table = bench(chosen.only, _say)
    print(msgspec.json.encode(table).decode() if chosen.json else "\n".join(lines(table)))
    return 0


def _report_options(parser: argparse.ArgumentParser) -> None:
    from engine.research.report import options

    options(parser)


def _report(chosen: argparse.Namespace) -> int:
    from engine.research.report import run

    return run(chosen)


COMMANDS: dict[str, tuple[Adder, Work, str]] = {
    "train": (_train_options, _train, "train, calibrate and write weights with their scores"),
    "evaluate": (
        _evaluate_options,
        _evaluate,
        "the tables of forecasts, of execution, of the paper venue and of the surface, on named data",
    ),
    "bench": (_bench_options, _bench, "how fast, each figure beside its peers in the same run"),
    "report": (_report_options, _report, "what parents cost, told from the journal: HTML, CSV or Parquet"),
    "models": (models_options, models, "the registry of weights: list, compare, promote, roll back"),
}
