"""The chart: geometric means as bars, every workload as a row of dots. SVG, readable on light and dark."""

import math
from xml.sax.saxutils import escape

import report

WIDTH, LEFT, RIGHT = 960, 150, 60
BAR, BAR_GAP, ROW = 11, 2, 19
LOW, HIGH = 1 / 8, 8  # the dots' logarithmic axis; what lies outside stands at its edge, as a triangle

COLOURS = {"glibc": "#8c8c8c", "jemalloc": "#3f8fd0", "mimalloc": "#22a06b", "tcmalloc": "#c9a000",
           "tbbmalloc": "#b06fc0", "cmalloc": "#e5483b"}
MORE_COLOURS = ["#7a6a58", "#3aa6a6", "#c26a98", "#6b7bd6"]

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222 }
.page { fill: #fff } .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 }
.small { font-size: 10px; fill: #666; paint-order: stroke; stroke: #fff; stroke-width: 3px } .grid { stroke: #ddd } .one { stroke: #999 } .bad { fill: #e5483b }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .page { fill: #0d1117 } .small { fill: #999; stroke: #0d1117 } .grid { stroke: #2c3138 }
  .one { stroke: #777 } .bad { fill: #ff7b6e }
}
"""


class Canvas:
    def __init__(self):
        self.parts = []
        self.y = 0

    def text(self, x, y, words, css="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, css):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>')

    def rect(self, x, y, w, h, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="1.5" fill="{fill}"/>')

    def path(self, points, fill):
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"
        self.parts.append(f'<path d="{d}" fill="{fill}"/>')

    def dot(self, x, y, fill):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" fill-opacity=".85"/>')

    def svg(self):
        body = "\n".join(self.parts)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.y:.0f}" '
                f'viewBox="0 0 {WIDTH} {self.y:.0f}">\n<style>{STYLE}</style>\n'
                f'<rect class="page" width="{WIDTH}" height="{self.y:.0f}"/>\n{body}\n</svg>\n')


def colours(names):
    more = iter(MORE_COLOURS * 4)
    return {n: COLOURS.get(n) or next(more) for n in names}


def legend(c, names, fill):
    x = LEFT
    for n in names:
        c.rect(x, c.y - 9, 10, 10, fill[n])
        c.text(x + 15, c.y, n)
        x += 30 + 7.2 * len(n)
    c.y += 26


def bars(c, x, width, title, rows, fill):
    """rows: [(label, [(name, (mean, workloads it lacks))])]; one linear axis from 0. Returns the y below."""
    top = max([v for _, values in rows for _, (v, _) in values if v] + [1])
    step = (width - 150) / top
    y = c.y + 12
    height = sum(len(values) * (BAR + BAR_GAP) + 9 for _, values in rows)
    c.text(x, c.y, title, "head")
    c.line(x + 110 + step, y, x + 110 + step, y + height - 6, "one")
    for label, values in rows:
        c.text(x, y + 12, label)
        for name, (value, lacks) in values:
            note = f" (-{lacks})" if lacks else ""
            if value is None:
                c.text(x + 115, y + BAR, f"{name} fails", "small bad")
            else:
                c.rect(x + 110, y + 2, step * value, BAR, fill[name])
                c.text(x + 115 + step * value, y + BAR, f"{value:.2f}{note}", "small")
            y += BAR + BAR_GAP
        y += 9
    return y


def mean_panels(c, table, fill):
    groups = [(g, table.main() if g == "all" else table.group(g)) for g in ["all"] + list(report.MAIN_GROUPS)]
    groups = [(g, ws) for g, ws in groups if ws]
    ends = []
    for i, (field, title) in enumerate([("time", "time, geometric mean (glibc = 1)"),
                                        ("rss", "peak memory, geometric mean (glibc = 1)")]):
        rows = [(g, [(n, table.mean(ws, n, field)) for n in table.names]) for g, ws in groups]
        ends.append(bars(c, 20 + i * 470, 450, title, rows, fill))
    c.y = max(ends) + 24


def axis_x(value):
    inside = min(max(value, LOW), HIGH)
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(inside / LOW) / math.log(HIGH / LOW)


def axis(c, height):
    tick = LOW
    while tick <= HIGH:
        x = axis_x(tick)
        c.line(x, c.y, x, c.y + height, "one" if tick == 1 else "grid")
        c.text(x, c.y - 5, f"{tick:g}" if tick >= 1 else f"1/{1 / tick:g}", "small", "middle")
        tick *= 2


def mark(c, name, value, y, fill):
    x = axis_x(value)
    if value < LOW or value > HIGH:
        side = -1 if value < LOW else 1
        c.path([(x + 5 * side, y), (x - 4 * side, y - 5), (x - 4 * side, y + 5)], fill)
        c.text(x + 9 * side, y + 4, f"{value:.2g}", "small", "end" if side < 0 else "start")
    elif name == "cmalloc":
        c.path([(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)], fill)
    else:
        c.dot(x, y, fill)


def dots(c, table, fill):
    for group, title in report.MAIN_GROUPS.items():
        ws = table.group(group)
        if not ws:
            continue
        c.text(20, c.y, title + ": time relative to glibc, left is faster", "head")
        c.y += 24
        axis(c, ROW * len(ws))
        for w in ws:
            y = c.y + ROW / 2
            c.text(LEFT - 12, y + 4, w.name, "", "end")
            for n in table.names:
                value = table.ratio(w, n, "time")
                if n != "glibc" and value:
                    mark(c, n, value, y, fill[n])
            bad = [n for n in table.names if table.cells[w.name, n].status != "ok"]
            if bad:
                c.text(WIDTH - 8, y + 4, "fails: " + ", ".join(bad), "small bad", "end")
            c.y += ROW
        c.y += 30


def write(table, path):
    if not table.main() or len(table.names) < 2:
        return
    c, fill = Canvas(), colours(table.names)
    c.y = 28
    c.text(20, c.y, "cmalloc and its peers" if "cmalloc" in table.names else "The peers", "title")
    c.y += 26
    legend(c, table.names, fill)
    mean_panels(c, table, fill)
    dots(c, table, fill)
    with open(path, "w") as f:
        f.write(c.svg())
