"""The volatility surface: strikes by expiries, one smile, the term structure."""

from __future__ import annotations

from dash import html

from components.style import panel, tabs


def layout() -> html.Section:
    heading = ["Volatility", html.B("–", id="surface-coin"), tabs("surface", ["heatmap", "smiles", "term"])]
    return panel(
        "surface",
        heading,
        html.Div(id="surface", className="surface"),
        html.Div(
            [
                html.H2(
                    [html.B("–", id="smile-expiry"), html.Span("smile", id="smile-kind"), html.Span(id="smile-fit")],
                    className="head",
                ),
                html.Div(html.Canvas(id="smile"), className="plot"),
                html.Div(id="surface-foot", className="surface-foot"),
            ],
            className="smile",
        ),
        label="implied volatility surface",
    )
