"""The replay bar: where in the session the page stands. Live, it shows the last minutes and plays nothing."""

from __future__ import annotations

from dash import html

from components.style import marks


def layout() -> html.Footer:
    controls = [
        html.Span("live", id="replay-session", className="replay-session"),
        html.Button("▶", id="replay-play", type="button", disabled=True, **marks(aria_label="play")),
        html.Button("▸|", id="replay-step", type="button", disabled=True, **marks(aria_label="one input on")),
        html.Button("1×", id="replay-speed", type="button", disabled=True, **marks(aria_label="speed")),
        html.Div(id="replay-track", className="timeline"),
        html.Span("–", id="replay-clock", className="clock"),
        html.Button("session ▸", id="session-open", type="button", className="quiet"),
    ]
    return html.Footer(controls, id="replay-bar", className="panel foot", **marks(aria_label="replay"))
