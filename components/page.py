"""The desk's pages: which panel stands where. What moves inside is drawn by `assets/`, from the feed.

All pages are one document, so that the feed, the alarms and the kill switch stay whichever is shown: `assets/route.js`
shows the one that the address names.
"""

from __future__ import annotations

from dash import html

from components import blotter, ladder, link, model, proposals, replay, report, sessions, surface, ticket
from components.style import figure, marks

INDEX = """<!doctype html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="color-scheme" content="dark">
    <title>{%title%}</title>
    <link rel="icon" href="/assets/tidegate.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/assets/desk.css">
    <link rel="stylesheet" href="/assets/costs.css">
    {%css%}
    <script type="module" src="/assets/desk.js"></script>
  </head>
  <body>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>"""

PAGES = (("Desk", "/"), ("Costs", report.PATH), ("Model", model.PATH))
FIGURES = (
    ("feed-badge", "feed"),
    ("top-model", "model"),
    ("top-credits", "venue credits"),
    ("top-margin", "margin"),
    ("top-delta", "Δ coin / USD"),
    ("top-gamma", "Γ $1k"),
    ("top-vega", "vega"),
    ("top-pnl", "PnL, fills today"),
    ("top-expiry", "next expiry"),
)


def layout() -> html.Div:
    right = html.Div([ticket.layout(), proposals.layout()], className="right")
    panels = [_top(), surface.layout(), ladder.layout(), right, blotter.layout(), blotter.progress(), replay.layout()]
    panels += [report.layout(), model.layout()]
    dialogs = [_picker(), _keys(), sessions.layout()]
    return html.Div([html.Main(panels, className="desk", id="desk"), *dialogs, _toast(), link.stores()])


def _top() -> html.Header:
    return html.Header(
        [
            html.Div([html.Span("Tidegate", className="brand"), _pages()], className="brand-name"),
            html.Span("–", id="mode-badge", className="badge"),
            *[figure(name, caption) for name, caption in FIGURES],
            html.Span(id="alarm", className="alarm", role="alert"),
            html.Button("KILL", id="kill", type="button", title="Blocks new orders and cancels ours, on the press"),
        ],
        className="panel top",
    )


def _pages() -> html.Nav:
    links = [html.A(name, href=path, **marks(data_page=name.lower())) for name, path in PAGES]
    return html.Nav(links, id="pages", className="pages", **marks(aria_label="pages"))


def _picker() -> html.Dialog:
    return html.Dialog(
        [
            html.Div(id="picker-field"),
            html.Div(id="picker-list", className="picker-list", role="listbox", **marks(aria_label="instruments")),
        ],
        id="picker",
        **marks(aria_label="choose an instrument"),
    )


def _keys() -> html.Dialog:
    return html.Dialog(id="keys", **marks(aria_label="keys"))


def _toast() -> html.Div:
    return html.Div(id="toast", className="toast", hidden=True, role="status")
