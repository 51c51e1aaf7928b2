"""The Costs page: each parent's shortfall by term, its fills, markouts and the override scorecard; reports as files."""

from __future__ import annotations

from dash import html
from starlette.responses import JSONResponse, Response

from components.style import marks, panel, tabs
from engine.messages import Costed

PATH = "/costs"
MEDIA = {
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".zip": "application/zip",
    ".csv": "text/csv; charset=utf-8",
}


def layout() -> html.Section:
    parts = [_parents(), _waterfall(), _course(), _fills(), _scorecard()]
    return html.Section(parts, id="costs", className="costs", hidden=True, **marks(aria_label="costs"))


def answered(costed: Costed) -> Response:
    """What the engine gave, as the browser takes it: figures to draw, or a file to keep. Never a page to run."""
    if costed.reason:
        return JSONResponse({"reason": costed.reason}, status_code=404)
    media = next((kind for end, kind in MEDIA.items() if costed.name.endswith(end)), "application/octet-stream")
    headers = {} if costed.name.endswith(".json") else {"content-disposition": f'attachment; filename="{costed.name}"'}
    return Response(costed.data, media_type=media, headers=headers)


def _parents() -> html.Section:
    units = tabs("costs-unit", ["ticks", "vol", "coin", "USD"])
    heading = [html.Span("Parents", className="title"), html.Span(id="costs-note", className="r"), units]
    foot = html.P(id="costs-foot", className="foot-line")
    return panel("parents", heading, html.Div(id="costs-table", className="scrolled", tabIndex=0), foot, label="costs")


def _waterfall() -> html.Section:
    heading = [
        html.Span("Shortfall", className="title"),
        html.B(id="costs-name"),
        html.Span(id="costs-said", className="r"),
    ]
    body = html.Div(id="costs-waterfall", className="falls")
    files = html.P(id="costs-files", className="files")
    return panel(
        "waterfall", heading, body, html.Div(id="costs-benchmarks", className="levels"), files, label="shortfall"
    )


def _course() -> html.Section:
    heading = [html.Span("Prices and fills", className="title"), html.Span(id="costs-course-note", className="r")]
    plot = html.Div(html.Canvas(id="costs-course", role="img"), className="plot")
    return panel("course", heading, plot, label="prices and fills over time")


def _fills() -> html.Section:
    heading = [html.Span("Fills", className="title"), tabs("costs-detail", ["fills", "children", "decisions"])]
    return panel("costfills", heading, html.Div(id="costs-fills", className="scrolled", tabIndex=0), label="fills")


def _scorecard() -> html.Section:
    heading = [html.Span("All together", className="title"), tabs("costs-all", ["overrides", "markouts", "predicted"])]
    body = [html.Div(id="costs-all", className="scrolled", tabIndex=0), html.P(id="costs-rule", className="foot-line")]
    return panel("scorecard", heading, *body, label="override scorecard")
