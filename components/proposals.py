"""Proposals: intents that wait for a yes. The first is pinned; what comes later queues behind it."""

from __future__ import annotations

from dash import html

from components.style import marks, panel


def layout() -> html.Section:
    arm = html.Button(
        [html.I(className="dot"), html.Span("keys off", className="word")],
        id="keys-arm",
        type="button",
        className="arm",
        title="Arm the keys A, E and R for the pinned proposal. ? lists them all.",
        **marks(aria_pressed="false"),
    )
    heading = ["Proposals", html.B("", id="proposals-count"), arm]
    return panel(
        "proposals",
        heading,
        html.Div(id="proposals", className="proposals"),
        html.Div(id="proposals-said", className="unseen", **marks(aria_live="polite")),
        label="proposals",
    )
