"""The Model page: what is in the registry, what each model is worth, and the making of the next one."""

from __future__ import annotations

from dash import html

from components.style import marks, panel, tabs

PATH = "/model"


def layout() -> html.Section:
    parts = [_registry(), _history(), _scores(), _calibration(), _skill(), _work()]
    return html.Section(parts, id="model", className="model", hidden=True, **marks(aria_label="models"))


def _registry() -> html.Section:
    heading = [html.Span("Models", className="title"), html.Span(className="r", id="models-note")]
    confirm = html.Div(id="models-confirm", className="confirm", hidden=True, role="alertdialog")
    return panel("models", heading, _scrolled("models-table"), confirm, label="models")


def _history() -> html.Section:
    back = html.Button("roll back", type="button", id="models-back", className="quiet boxed", disabled=True)
    said = html.P(id="models-said", className="said", role="status")
    lines = html.Ul(id="models-history", className="history", tabIndex=0, **marks(aria_label="what was promoted"))
    return panel("history", [html.Span("Promotions", className="title"), back], lines, said, label="promotions")


def _scores() -> html.Section:
    heading = [
        html.Span("Scores", className="title"),
        html.B(id="scores-name"),
        tabs("scores", ["rivals", "comparison"]),
    ]
    foot = html.P(id="scores-foot", className="foot-line")
    return panel("scores", heading, _scrolled("scores-table"), foot, label="scores")


def _calibration() -> html.Section:
    heading = [html.Span("Calibration", className="title"), html.Span(className="r", id="calibration-note")]
    plot = html.Div(html.Canvas(id="calibration", role="img"), className="plot")
    thresholds = html.Div(id="calibration-table", className="levels")
    return panel("calibration", heading, plot, thresholds, label="calibration")


def _skill() -> html.Section:
    heading = [html.Span("Live", className="title"), html.B(id="skill-name"), html.Span(className="r", id="skill-note")]
    return panel("skill", heading, _scrolled("skill-table"), _rows(), label="live skill and drift")


def _rows() -> html.Div:
    return html.Div(id="skill-rows", className="levels")


def _work() -> html.Section:
    heading = [
        html.Span("Train and compare", className="title"),
        tabs("work", ["train", "compare"]),
    ]
    body = html.Div(
        [
            html.Form(id="work-form", className="work-form"),
            html.Div(id="work-progress", className="work-progress", **marks(aria_live="polite")),
            html.Div(html.Canvas(id="work-losses", role="img"), className="plot"),
        ],
        className="work",
    )
    return panel("work", heading, body, label="train and compare")


def _scrolled(name: str) -> html.Div:
    """What may be longer than its panel is reached by the keyboard too."""
    return html.Div(id=name, className="scrolled", tabIndex=0)
