"""What session this is: its name, the code and the model it runs, how far it has come, how to look at another."""

from __future__ import annotations

from dash import html


def layout() -> html.Dialog:
    return html.Dialog(
        [
            html.H2(["Session", html.B("", id="session-name")], className="head"),
            html.Dl(id="session-facts"),
            html.P(["Another recording opens on the same screen: ", html.Code("python app.py --replay PATH")]),
            html.Button("close", type="button", className="quiet close"),
        ],
        id="session",
    )
