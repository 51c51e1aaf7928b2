"""Small pieces that every panel is made of, so that all look and read alike. Colours live in `assets/desk.css`."""

from __future__ import annotations

from typing import Any

from dash import html


def marks(**attributes: object) -> dict[str, Any]:
    """`aria_label="x"` → `{"aria-label": "x"}`, as Dash's elements take such attributes."""
    return {name.replace("_", "-"): str(value) for name, value in attributes.items()}


def panel(name: str, heading: list[Any], *body: Any, label: str) -> html.Section:
    """A panel: a heading line that can also carry its alarm, and a body."""
    banner = html.Span(className="banner", role="status")
    return html.Section(
        [html.H2([*heading, banner], className="head"), *body],
        id=f"panel-{name}",
        className=f"panel panel-{name}",
        **marks(aria_label=label, data_panel=name),
    )


def tabs(name: str, labels: list[str]) -> html.Div:
    """A row of tabs, the first chosen; scripts move the choice (`aria-selected`) and say it to the panel."""
    buttons = [
        html.Button(label, role="tab", type="button", **marks(data_tab=label, aria_selected=str(i == 0).lower()))
        for i, label in enumerate(labels)
    ]
    return html.Div(buttons, id=f"{name}-tabs", className="tabs", role="tablist", **marks(aria_label=name))


def figure(name: str, caption: str) -> html.Div:
    """One labelled figure of the top bar."""
    return html.Div([html.Span(caption, className="cap"), html.Span("–", className="val")], id=name, className="kv")
