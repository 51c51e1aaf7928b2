"""The parent ticket: what is to be bought or sold, by when, and how much of it may go unasked."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from components.style import panel

FIELDS = (
    "ticket-side",
    "ticket-quantity",
    "ticket-limit",
    "ticket-minutes",
    "ticket-algorithm",
    "ticket-urgency",
    "ticket-dial",
    "ticket-auto",
)  # the order in which the scripts take them


ALGORITHMS = {"adaptive": "adaptive", "twap": "TWAP", "vwap": "VWAP", "pov": "POV", "almgren_chriss": "A–C"}


def layout() -> html.Section:
    heading = ["Parent order", html.Span(id="ticket-instrument", className="r dim")]
    form = html.Div(
        [
            *_field("side", "ticket-side", _choice("ticket-side", {"buy": "buy", "sell": "sell"}, "buy")),
            *_field("quantity", "ticket-quantity", _number("ticket-quantity", None, "lots")),
            *_field("limit", "ticket-limit", _number("ticket-limit", None, "price")),
            *_field("minutes", "ticket-minutes", _number("ticket-minutes", 10, "")),
            html.Div(
                [
                    html.Label("algorithm", htmlFor="ticket-algorithm", className="unseen"),
                    _choice("ticket-algorithm", ALGORITHMS, "adaptive"),
                ],
                className="wide",
            ),
            *_field("urgency", "ticket-urgency", _number("ticket-urgency", 5, "0–10")),
            *_field(
                "dial",
                "ticket-dial",
                _choice("ticket-dial", {"manual": "manual", "semi": "semi", "auto": "auto"}, "manual"),
            ),
            *_field("auto ≤", "ticket-auto", _number("ticket-auto", 3, "lots")),
        ],
        className="fields",
    )
    foot = [
        html.Div(id="ticket-estimate", className="estimate"),
        html.Button("Send parent", id="ticket-send", type="button", className="send", n_clicks=0),
        html.Div(id="ticket-outcome", className="outcome", role="status"),
    ]
    return panel("ticket", heading, html.Div([form, *foot], id="ticket", className="ticket"), label="parent order")


def _field(label: str, name: str, control: Any) -> list[Any]:
    return [html.Label(label, htmlFor=name), control]


def _number(name: str, value: float | None, hint: str) -> dcc.Input:
    return dcc.Input(id=name, type="number", value=value, placeholder=hint, className="number")


def _choice(name: str, options: dict[str, str], value: str) -> dcc.RadioItems:
    return dcc.RadioItems(
        id=name,
        options=[{"label": label, "value": key} for key, label in options.items()],
        value=value,
        className="seg",
    )
