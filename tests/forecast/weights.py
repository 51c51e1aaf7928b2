"""Weights of a random small model, for tests that need some that load but know nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.forecast.baseline import Rates
from engine.forecast.features import NAMES
from engine.forecast.model import Net, arrays
from engine.forecast.parameters import HEADS, PROBABLE, Calibration, Header, Weights, header_arrays

CALIBRATION = {
    head: (Calibration(temperature=1.5 - 0.1 * k, bias=0.2), Calibration(temperature=1.1, bias=-0.1 * k))
    for k, head in enumerate(PROBABLE)
}


def random_net(seed: int = 1, hidden: int = 16) -> Net:
    torch.manual_seed(seed)
    net = Net(hidden)
    torch.nn.init.normal_(net.head.weight, 0.0, 0.3)
    return net


def weights_of(net: Net, **changes: Any) -> Weights:
    values: dict[str, Any] = {
        "names": NAMES, "hidden": net.hidden, "threshold_ticks": 0.25, "future_threshold_ticks": 4.0,
        "horizon_s": 1.0, "calibration": CALIBRATION, "usual": (2.0, 2.0),
        "later_thresholds": {"direction_10": (1.0, 12.0), "direction_60": (2.5, 30.0)},
        "trust": {name: 1.0 for name, _ in HEADS}, "future_trust": {name: 1.0 for name, _ in HEADS},
        "iv_scale": 1.0, "rates": Rates(), "future_rates": Rates(), "data_hash": "", "crowd_hash": "", "seeds": (),
        "training": {}, "scores": {}, "arrays": header_arrays(net.hidden, len(NAMES)), **changes,
    }  # fmt: skip
    ones = np.ones((2, len(NAMES)), np.float32)
    rival = np.zeros((len(NAMES) + 1, 3), np.float32)
    return Weights(Header(**values), {**arrays(net), "mean": 0 * ones, "scale": ones, "logistic": rival})
