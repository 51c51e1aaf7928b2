"""The parent ticket: what is to be bought or sold, by when, and how much of it may go unasked.

What every order needs stands in front; the rest is on a sheet beside it, which covers the depth picture while it is
open and moves nothing. What each algorithm is expected to cost is drawn beside its name by `assets/estimate.js`.
"""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from components.style import marks, panel

FIELDS = (
    "ticket-side",
    "ticket-quantity",
    "ticket-limit",
    "ticket-limit-iv",
    "ticket-minutes",
    "ticket-algorithm",
    "ticket-urgency",
    "ticket-dial",
    "ticket-auto-limit",
    "ticket-hedge",
    "ticket-start-minutes",
    "ticket-baseline",
    "ticket-participation",
    "ticket-rate",
    "ticket-min-child",
    "ticket-max-child",
    "ticket-would",
    "ticket-random-time",
    "ticket-random-size",
    "ticket-leave",
)  # the order in which the scripts take them

ALGORITHMS = {"adaptive": "adaptive", "twap": "TWAP", "vwap": "VWAP", "pov": "POV", "almgren_chriss": "A–C"}
BASELINES = {name: label for name, label in ALGORITHMS.items() if name != "adaptive"}
HEDGES = {"off": "off", "manual": "ask", "semi": "semi", "auto": "auto"}
LEAVES = {"pull": "pulled", "leave": "left"}


def layout() -> html.Section:
    heading = ["Parent order", html.Span(id="ticket-instrument", className="r dim")]
    form = html.Div(
        [
            *_field("side", "ticket-side", _choice("ticket-side", {"buy": "buy", "sell": "sell"}, "buy")),
            *_field("quantity", "ticket-quantity", _number("ticket-quantity", None, "lots")),
            *_field("limit", "ticket-limit", _limits()),
            *_field("minutes", "ticket-minutes", _number("ticket-minutes", 10, "")),
            _algorithms(),
            *_field(
                "dial",
                "ticket-dial",
                _choice("ticket-dial", {"manual": "manual", "semi": "semi", "auto": "auto"}, "manual"),
            ),
            *_field("auto ≤", "ticket-auto-limit", _number("ticket-auto-limit", 3, "lots")),
            *_field("hedge", "ticket-hedge", _choice("ticket-hedge", HEDGES, "manual")),
            *_field("urgency", "ticket-urgency", _number("ticket-urgency", 5, "0–10")),
        ],
        className="fields",
    )
    more = html.Button("more", id="ticket-more", type="button", className="boxed", **marks(aria_expanded="false"))
    send = html.Button("Send parent", id="ticket-send", type="button", className="send", n_clicks=0)
    foot = [
        html.Div(id="ticket-estimate", className="estimate"),
        html.Div([more, send], className="ticket-foot"),
        html.Div(id="ticket-outcome", className="outcome", role="status"),
    ]
    return panel(
        "ticket", heading, html.Div([form, *foot, _sheet()], id="ticket", className="ticket"), label="parent order"
    )


def _limits() -> html.Div:
    """As a price, as an implied volatility, or as both: then the tighter holds."""
    return html.Div(
        [
            _number("ticket-limit", None, "price"),
            html.Label("limit as implied volatility, %", htmlFor="ticket-limit-iv", className="unseen"),
            _number("ticket-limit-iv", None, "IV"),
        ],
        className="pair",
    )


def _algorithms() -> html.Div:
    """The choice of an algorithm, each with what it is expected to cost beside it."""
    return html.Div(
        [
            html.Label("algorithm", htmlFor="ticket-algorithm", className="unseen"),
            _choice("ticket-algorithm", ALGORITHMS, "adaptive"),
            html.Div(id="ticket-ways", className="ways", **marks(aria_label="expected cost of each algorithm")),
        ],
        className="wide",
    )


def _sheet() -> html.Div:
    """What most orders leave as it is."""
    fields = [
        *_field("starts in", "ticket-start-minutes", _number("ticket-start-minutes", None, "0 min")),
        *_field("I-would price", "ticket-would", _number("ticket-would", None, "none")),
        *_field("cap of volume", "ticket-participation", _number("ticket-participation", None, "none, %")),
        *_field("rate of POV", "ticket-rate", _number("ticket-rate", None, "10 %")),
        *_field("smallest child", "ticket-min-child", _number("ticket-min-child", None, "0 lots")),
        *_field("largest child", "ticket-max-child", _number("ticket-max-child", None, "2 × base")),
        *_field("random time", "ticket-random-time", _number("ticket-random-time", None, "0 %")),
        *_field("random size", "ticket-random-size", _number("ticket-random-size", None, "0 %")),
        *_field("schedule of adaptive", "ticket-baseline", _choice("ticket-baseline", BASELINES, "twap"), "whole"),
        *_field("stopped: children are", "ticket-leave", _choice("ticket-leave", LEAVES, "pull"), "whole"),
    ]
    heading = html.Div(
        ["More of the order", html.Button("close", id="ticket-more-close", type="button", className="quiet")],
        className="head",
    )
    return html.Div(
        [heading, html.Div(fields, className="sheet-fields"), html.P(id="ticket-more-said", className="dim")],
        id="ticket-sheet",
        className="sheet",
        hidden=True,
        role="group",
        **marks(aria_label="more of the order"),
    )


def _field(label: str, name: str, control: Any, className: str | None = None) -> list[Any]:
    return [html.Label(label, htmlFor=name, className=className), control]


def _number(name: str, value: float | None, hint: str) -> dcc.Input:
    return dcc.Input(id=name, type="number", value=value, placeholder=hint, className="number")


def _choice(name: str, options: dict[str, str], value: str) -> dcc.RadioItems:
    return dcc.RadioItems(
        id=name,
        options=[{"label": label, "value": key} for key, label in options.items()],
        value=value,
        className="seg",
    )
