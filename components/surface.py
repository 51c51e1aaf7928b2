"""The volatility surface: expiries by strikes, smiles, term structure, in space, what can be arbitraged; one smile."""

from __future__ import annotations

from dash import html

from components.style import marks, panel, tabs

COLUMNS = (
    ("strike", "K", "columns: strike"),
    ("moneyness", "K/F", "columns: strike ÷ forward"),
    ("delta", "Δ", "columns: delta"),
)
MOMENTS = (
    ("", "now", "IV now"),
    ("1", "−1 m", "change in a minute"),
    ("5", "−5 m", "change in five minutes"),
    ("15", "−15 m", "change in a quarter of an hour"),
    ("0", "start", "change since the session's start"),
)
WALK = "the expiry's smile: arrows walk its options, Enter opens one"
TURN = "the surface in space: arrows turn it, shift and arrows move along its points, Enter opens one, Home turns back"


def layout() -> html.Section:
    heading = [
        html.Span("Volatility", className="title"),
        html.B("–", id="surface-coin"),
        html.Div(id="surface-coins", className="small-seg", role="group", hidden=True, **marks(aria_label="coin")),
        tabs("surface", ["heatmap", "smiles", "term", "3D", "flags"]),
    ]
    return panel(
        "surface",
        heading,
        _choices(),
        _pictures(),
        html.Div(id="surface-scale", className="legend", **marks(aria_label="legend")),
        _smile(),
        html.Div(id="surface-said", className="unseen", **marks(aria_live="polite")),
        label="implied volatility surface",
    )


def _pictures() -> html.Div:
    return html.Div(
        [
            html.Div(id="surface-heat", **marks(data_body="heatmap")),
            html.Div(html.Canvas(id="surface-smiles"), className="plot", **marks(data_body="smiles")),
            html.Div(html.Canvas(id="surface-term"), className="plot", **marks(data_body="term")),
            html.Div(
                html.Canvas(id="surface-space", tabIndex=0, role="application", **marks(aria_label=TURN)),
                className="plot",
                **marks(data_body="3D"),
            ),
            html.Div(id="surface-flags", className="flag-list", **marks(data_body="flags")),
            html.Div(id="surface-empty", className="empty"),
        ],
        id="surface",
        className="surface",
    )


def _smile() -> html.Div:
    return html.Div(
        [
            html.H2(
                [html.B("–", id="smile-expiry"), html.Span("smile", id="smile-kind"), html.Span(id="smile-fit")],
                className="head",
            ),
            html.Div(
                html.Canvas(id="smile", tabIndex=0, role="application", **marks(aria_label=WALK)), className="plot"
            ),
            html.Div(id="surface-factors", className="plot", hidden=True),
            html.Div(id="surface-foot", className="surface-foot"),
        ],
        className="smile",
    )


def _choices() -> html.Div:
    return html.Div(
        [_row("columns", "columns", COLUMNS), _row("moments", "against", MOMENTS)],
        id="surface-choices",
        className="choices",
    )


def _row(name: str, label: str, choices: tuple[tuple[str, str, str], ...]) -> html.Div:
    buttons = [
        html.Button(text, type="button", title=title, **marks(data_choice=value, aria_pressed=str(i == 0).lower()))
        for i, (value, text, title) in enumerate(choices)
    ]
    return html.Div(buttons, id=f"surface-{name}", className="small-seg", role="group", **marks(aria_label=label))
