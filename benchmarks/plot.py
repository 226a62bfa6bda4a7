"""Bars in SVG, for a page in light or dark."""

from collections.abc import Mapping
from html import escape

LEFT, BAR, GAP, WIDTH, RIGHT = 210, 22, 10, 380, 90
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
rect { fill: #8c959f } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } rect { fill: #6e7681 } .ours { fill: #4493f8 } }
"""


def bars(title: str, figures: Mapping[str, float], unit: str) -> str:
    """A horizontal bar for each figure; ours, whose names begin with `tasks`, stand out."""
    most = max(figures.values())
    height = 34 + len(figures) * (BAR + GAP)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{LEFT + WIDTH + RIGHT}" '
            f'height="{height}" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}">'
        ),
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="0" y="16">{escape(title)}</text>',
    ]
    for row, (name, figure) in enumerate(figures.items()):
        top = 30 + row * (BAR + GAP)
        wide = max(1, figure / most * WIDTH)
        kind = ' class="ours"' if name.startswith("tasks") else ""
        lines += [
            f'<text x="{LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect{kind} x="{LEFT}" y="{top}" width="{wide:.1f}" height="{BAR}" rx="3"/>',
            f'<text x="{LEFT + wide + 6:.1f}" y="{top + 16}">{figure:,.4g} {unit}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
