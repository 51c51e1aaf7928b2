"""The blotter: parents, their children, their fills; positions; decisions; alerts. And progress against schedule."""

from __future__ import annotations

from dash import html

from components.style import marks, panel, tabs


def layout() -> html.Section:
    heading = [
        tabs("blotter", ["orders", "positions", "decisions", "alerts"]),
        html.Button(
            "pull · flatten", id="hands-open", type="button", className="quiet", **marks(aria_expanded="false")
        ),
        html.Span(id="blotter-sum", className="r dim"),
    ]
    return panel(
        "blotter",
        heading,
        html.Div(id="hands", className="hands", hidden=True, role="group", **marks(aria_label="pull and flatten")),
        html.Div(id="guards", className="guards", hidden=True, role="alert"),
        html.Div(id="blotter", className="blotter"),
        html.Div(id="alerts-said", className="unseen", **marks(aria_live="polite")),
        label="blotter",
    )


def progress() -> html.Section:
    heading = ["Progress", html.B("", id="progress-name"), html.Span(id="progress-sum", className="r dim")]
    return panel(
        "progress",
        heading,
        html.Div(id="progress-figures", className="stats", hidden=True),
        html.Div(id="progress-why", className="standing"),
        html.Div(html.Canvas(id="progress"), className="plot"),
        label="progress of the order",
    )
