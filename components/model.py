"""The models: which is in use, what each was judged to be worth, and the way to another and back."""

from __future__ import annotations

from dash import html

from components.style import marks


def layout() -> html.Dialog:
    return html.Dialog(
        [
            html.H2(["Models", html.B("", id="models-in-use")], className="head"),
            html.Table(html.Tbody(id="models-rows"), className="models"),
            html.Ul(id="models-history", className="models-history", **marks(aria_label="what was promoted")),
            html.P("", id="models-said", role="status"),
            html.Button("roll back", type="button", id="models-back", className="quiet"),
            html.Button("close", type="button", className="quiet close"),
        ],
        id="models",
        **marks(aria_label="models"),
    )
