"""The LSTM in torch: reference for the stepped model of stream.py, and what is trained. Nothing that runs imports it.

One model is pooled over all instruments. A batch is B instrument-stretches of T steps of 100 ms; state is carried from
chunk to chunk of a stretch (truncated back-propagation through time), as it is carried from step to step live.
Outputs are corrections to the baseline, column by column as `parameters.HEADS` lists them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.domain import NS
from engine.forecast.baseline import Band, Rates
from engine.forecast.features import NAMES
from engine.forecast.labels import DIRECTIONS, HORIZON_NS
from engine.forecast.parameters import HEADS, LAYERS, OUTPUTS, Array, columns, target_columns
from engine.messages import SIZES

QUANTILES = (0.1, 0.5, 0.9)
State = tuple[Tensor, Tensor]  # h, c: (LAYERS, B, H) each

WEIGHT = {
    "direction": 2.0,
    "direction_10": 0.15,
    "direction_60": 0.1,
    "drift": 0.5,
    "slip": 1.0,
    "impact": 0.3,
    "fill": 0.7,
    "iv": 1.0,
    "spread": 0.3,
    "depth": 0.3,
}


class Net(nn.Module):
    """Two LSTM layers and one linear head for every gauge."""

    def __init__(self, hidden: int, dropout: float = 0.0, features: int = len(NAMES)) -> None:
        super().__init__()
        self.hidden = hidden
        self.lstm = nn.LSTM(features, hidden, LAYERS, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden + features, OUTPUTS)
        nn.init.zeros_(self.head.weight)  # so that it begins as its bias, which `begin` sets to the baseline

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """x (B, T, F) standardised and clipped → outputs (B, T, OUTPUTS), state after the last step."""
        seen, state = self.lstm(x, state)  # (B, T, H), (LAYERS, B, H) × 2
        both = torch.cat([self.drop(seen), x], dim=-1)  # (B, T, H + F): what is plain in the present is read directly
        return noncrossing(self.head(both)), state  # (B, T, OUTPUTS)


def noncrossing(raw: Tensor) -> Tensor:
    """Quantile columns as cumulative softplus steps up from the lowest, so that they cannot cross."""
    parts = []
    for name, _ in HEADS:
        part = raw[..., columns(name)]
        if name in ("slip", "iv"):
            bands = part.reshape(*part.shape[:-1], -1, 3)  # (B, T, 3k) → (B, T, k, 3)
            steps = torch.cat([bands[..., :1], functional.softplus(bands[..., 1:])], dim=-1)
            part = steps.cumsum(-1).reshape(part.shape)  # (B, T, k, 3) → (B, T, 3k)
        parts.append(part)
    return torch.cat(parts, dim=-1)


def begin(net: Net, rates: Rates, iv_scale: float) -> None:
    """Set the head's bias to what the baseline says, so that training starts from there."""
    bias = torch.zeros(OUTPUTS)
    for head in DIRECTIONS:
        odds = rates.odds(HORIZON_NS[head] // NS)
        bias[columns(head)] = torch.log(torch.tensor([odds.up, odds.down, odds.stable]) + 1e-3)
    bias[columns("fill")] = torch.logit(torch.tensor([rates.fill_bid, rates.fill_ask]), eps=1e-3)
    bias[columns("slip")] = _rising(rates.slip).repeat(2 * len(SIZES))
    bias[columns("iv")] = _rising((rates.iv[0] / iv_scale, rates.iv[1] / iv_scale, rates.iv[2] / iv_scale))
    with torch.no_grad():
        net.head.bias.copy_(bias)


def _rising(band: Band) -> Tensor:
    """(lo, mid, hi) → lo and the inverse softplus of the two steps up."""
    steps = torch.tensor([band[1] - band[0], band[2] - band[1]]).clamp(min=1e-3)
    return torch.cat([torch.tensor([band[0]]), torch.log(torch.expm1(steps))])


def losses(out: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Mean loss of each head. `out` (N, OUTPUTS); `y` (N, TARGETS), NaN where a
    label is unknown. Cross-entropy, Huber, pinball and Bernoulli, each over its known labels only."""
    return {name: _loss(name, out[:, columns(name)], y[:, target_columns(name)]) for name, _ in HEADS}


def _loss(name: str, out: Tensor, y: Tensor) -> Tensor:
    known = ~torch.isnan(y)
    y = torch.nan_to_num(y)
    if name in DIRECTIONS:
        each = functional.cross_entropy(out, y[:, 0].long(), reduction="none")[:, None]
    elif name == "fill":
        each = functional.binary_cross_entropy_with_logits(out, y, reduction="none")
    elif name in ("slip", "iv"):
        each = pinball(out.reshape(len(out), -1, 3), y)  # (N, 3k) → (N, k, 3)
    else:
        each = functional.huber_loss(out, y, reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def pinball(bands: Tensor, y: Tensor) -> Tensor:
    """(N, k, 3) quantiles against (N, k) → (N, k), mean of the three pinball losses."""
    q = torch.tensor(QUANTILES, device=y.device)
    miss = y[..., None] - bands
    return torch.maximum(q * miss, (q - 1.0) * miss).mean(-1)


def total(found: dict[str, Tensor]) -> Tensor:
    """The heads' losses, weighed by how much execution leans on them."""
    return torch.stack([WEIGHT[name] * loss for name, loss in found.items()]).sum()


def arrays(net: Net) -> dict[str, Array]:
    """The trained numbers as the weights file has them: gate by gate, inputs above hidden state."""
    out: dict[str, Array] = {}
    for layer in range(LAYERS):
        both = torch.cat([getattr(net.lstm, f"weight_ih_l{layer}"), getattr(net.lstm, f"weight_hh_l{layer}")], dim=1)
        gates = both.detach().reshape(4, net.hidden, -1).transpose(1, 2)  # (4H, in + H) → (4, in + H, H)
        bias = getattr(net.lstm, f"bias_ih_l{layer}") + getattr(net.lstm, f"bias_hh_l{layer}")
        out[f"lstm{layer}"] = np.ascontiguousarray(gates.numpy())
        out[f"bias{layer}"] = bias.detach().reshape(4, net.hidden).numpy().copy()  # (4H,) → (4, H)
    out["head"] = np.ascontiguousarray(net.head.weight.detach().T.numpy())  # (OUTPUTS, H + F) → (H + F, OUTPUTS)
    out["head_bias"] = net.head.bias.detach().numpy().copy()
    return out
