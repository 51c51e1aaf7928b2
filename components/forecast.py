"""The gauges: what the model says of the instrument looked at, and whether its word has been worth anything."""

from __future__ import annotations

from dash import html

from components.style import marks

# id, label, what the number is, aria range
METERS: tuple[tuple[str, str, str, float, float], ...] = (
    ("gauge-slippage", "slip 10", "ticks beyond the touch", 0, 10),
    ("gauge-impact", "impact 10", "ticks the micro-price is pushed in 5 s", 0, 5),
    ("gauge-fill", "fill 5 s", "chance that an order at the touch fills", 0, 100),
    ("gauge-volatility", "IV 60 s", "relative change of implied volatility", -5, 5),
    ("gauge-spread", "spread", "ticks between bid and ask, expected in 10 s", 0, 10),
    ("gauge-fragility", "fragility", "order-flow imbalance over depth", 0, 1),
)


def layout() -> html.Div:
    return html.Div([_direction(), *[_card(*meter) for meter in METERS]], className="gauges", id="gauges")


def _meter(name: str, label: str, look: str) -> html.Div:
    return html.Div(
        id=name,
        className=look,
        role="meter",
        **marks(aria_label=label, aria_valuemin=0, aria_valuemax=100, aria_valuenow=0),
    )


def _direction() -> html.Div:
    bars = [
        _meter("gauge-up", "chance that the fair price rises", "bar-up"),
        _meter("gauge-stable", "chance that the fair price stays", "bar-stable"),
        _meter("gauge-down", "chance that the fair price falls", "bar-down"),
    ]
    return html.Div(
        [
            html.Div(
                [
                    html.Span("direction 1 s", className="cap"),
                    html.Button("why?", className="why", type="button"),
                    html.Span(className="verdict"),
                ],
                className="line",
            ),
            html.Div(bars, className="tri"),
            html.Div(className="tri-words"),
            html.Div(className="later"),
            html.Div(className="sources"),
            html.Div(className="sub"),
        ],
        id="gauge-direction",
        className="card card-direction",
    )


def _card(name: str, caption: str, meaning: str, lo: float, hi: float) -> html.Div:
    return html.Div(
        [
            html.Div([html.Span(caption, className="cap"), html.Span(className="verdict")], className="line"),
            html.Div([html.Span(className="big"), html.Span(className="band")], className="line reading"),
            html.Div([html.I(className="fill"), html.I(className="span"), html.U()], className="track"),
            html.Div(className="sub"),
        ],
        id=name,
        className="card",
        role="meter",
        title=meaning,
        **marks(aria_label=f"{caption}: {meaning}", aria_valuemin=lo, aria_valuemax=hi, aria_valuenow=lo),
    )
