"""The recordings that the paper market is held against, as tracks; nothing where the folder is absent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.domain import Instrument, Kind
from engine.research.imports import EventRecording, open_events, open_recording
from engine.research.imports.lines import head
from engine.research.track import Track, event_track, frame_tracks

VARIABLE = "TIDEGATE_SHARED_DATA"
INVERSE_USD = 100.0  # a contract of the inverse BTC perpetual


class Pair(NamedTuple):
    """Two recordings that follow each other; the second goes on with the first one's book."""

    coin: str
    earlier: str
    later: str


PERPETUALS = {
    "inverse BTC 2024-08": Pair("BTC", "cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"),
    "linear BTC 2024-07": Pair("BTC", "usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz"),
    "linear ETH 2024-07": Pair("ETH", "usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"),
    "linear BTC 2023-04": Pair("BTC", "usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"),
}
ANCHOR = "inverse BTC 2024-08"
CHAINS = "deribit_chains/btc_2023-04-12_to_14.parquet"
OPTION_LOGS = ("2021-04-17.ws.txt", "2021-07-22.ws.txt")


def folder() -> Path | None:
    """Where the recordings lie: as the variable says, else beside the checkout; None where they do not."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get(VARIABLE, beside))
    return path if path.is_dir() else None


@lru_cache(maxsize=4)
def perpetual(data: Path, name: str = ANCHOR) -> tuple[Track, Track]:
    """The earlier and the later recording of one perpetual. Raises BadRecording."""
    pair = PERPETUALS[name]
    paths = [data / "binance_l2" / file for file in (pair.earlier, pair.later)]
    log = open_events(paths)
    track = event_track(log, _instrument(log, pair.coin), log.lot)
    cut = begins(paths[1])
    return track.between(int(track.t[0]), cut), track.between(cut, int(track.t[-1]) + 1)


def _instrument(log: EventRecording, coin: str) -> Instrument:
    lot = INVERSE_USD * log.lot if log.inverse else log.lot
    return Instrument(name=log.symbol, kind=Kind.PERPETUAL, coin=coin, tick=log.tick, lot=lot,
                      contract=INVERSE_USD if log.inverse else 1.0)  # fmt: skip


def begins(path: Path) -> int:
    """The time of a Binance log's first line, ns: it is in ms, µs or ns, as its number of digits says."""
    first = head(path, 64).split(b" ")[0].decode()
    return int(first + "0" * (19 - len(first)))


def options(data: Path) -> Sequence[Track]:
    """Twenty options of the venue, half a minute each. Raises BadRecording."""
    tracks = []
    for name in OPTION_LOGS:
        log = open_recording(data / "deribit_frames" / name)
        tracks += list(frame_tracks(log, log.instruments).values())
    return [track for track in tracks if len(track.t) and np.isfinite(track.mid).any()]
