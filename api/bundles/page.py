"""Writes a report as one HTML file that needs nothing else: no script, no request."""

from __future__ import annotations

from html import escape
from string import Template

from api.bundles.report import Report, Section, Table
from api.web.standalone import static_text

_HEAD = Template(
    """<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
"""
)
_STYLE = """
figure { margin: 0; }
svg tspan { font-family: inherit; }
svg { width: 100%; max-width: 640px; height: auto; background: #FBFAF7; }
dl.pairs dd { overflow-wrap: anywhere; white-space: pre-wrap; }
"""


def write(report: Report) -> bytes:
    """Return the page's bytes."""
    lang = "zh-CN" if report.lang == "zh" else "en"
    style = static_text("style.css") + _STYLE
    head = _HEAD.substitute(lang=lang, title=escape(report.title), style=style)
    answer = f"<h1>{escape(report.title)}</h1><p>{escape(report.answer)}</p>"
    parts = [
        head,
        f'<div class="what">{answer}</div>\n',
        *(_section(each) for each in report.sections),
        "</main>\n</body>\n</html>\n",
    ]
    return "".join(parts).encode()


def _section(section: Section) -> str:
    parts = [f"<section>\n<h2>{escape(section.heading)}</h2>\n"]
    parts += [f"<p>{escape(each)}</p>\n" for each in section.texts]
    if section.pairs:
        pairs = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in section.pairs
        )
        parts.append(f'<dl class="pairs">{pairs}</dl>\n')
    if section.picture is not None:
        label = escape(section.heading)
        drawing = section.picture.svg
        parts.append(f'<figure role="img" aria-label="{label}">{drawing}</figure>\n')
    if section.table is not None:
        parts.append(_table(section.table))
    return "".join([*parts, "</section>\n"])


def _table(table: Table) -> str:
    def cells(row: tuple[str, ...], tag: str) -> str:
        found = []
        for at, cell in enumerate(row):
            number = ' class="number"' if at in table.right else ""
            label = f' data-label="{escape(table.names[at])}"' if tag == "td" else ""
            found.append(f"<{tag}{number}{label}>{escape(cell)}</{tag}>")
        return "".join(found)

    rows = "".join(f"<tr>{cells(each, 'td')}</tr>\n" for each in table.rows)
    return (
        f'<table class="plain">\n<thead><tr>{cells(table.names, "th")}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table>\n"
    )
