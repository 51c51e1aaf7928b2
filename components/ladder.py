"""The price ladder and the depth behind it, of the instrument that is looked at."""

from __future__ import annotations

from dash import html

from components import forecast
from components.style import marks, panel, tabs


def layout() -> html.Section:
    heading = [
        html.Button("choose an instrument", id="picker-open", type="button", className="picker-open"),
        html.Button("⇄ C/P", id="flip", type="button", className="quiet", title="the put or call of the same strike"),
        html.Span(id="ladder-facts", className="facts"),
        tabs("ladder-unit", ["coin", "USD", "IV"]),
    ]
    return panel("ladder", heading, _books(), forecast.layout(), label="price ladder")


def _books() -> html.Div:
    return html.Div(
        [
            html.Div(
                id="ladder", className="ladder", tabIndex="0", **marks(aria_label="price ladder, best prices inside")
            ),
            html.Div(html.Canvas(id="depth"), className="depth", **marks(aria_label="depth of the book over time")),
            html.Div(id="confirm", className="confirm", hidden=True),
        ],
        className="books",
    )
