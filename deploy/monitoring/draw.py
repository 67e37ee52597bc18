"""Draws dashboard.json as Prometheus answers its queries now: not Grafana's pictures, but of the same queries.

python3 draw.py http://127.0.0.1:9090 30 pictures: 30 minutes up to now, a picture for each row into this folder.
Needs matplotlib, and pngquant to make the pictures small.
"""

import json
import math
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import dates
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

matplotlib.use("Agg")
POINTS = 240
COLOURS_OF_A_PICTURE = "48"
# Of a legend, across the picture.
CHARACTERS = 210


def ask(address: str, query: str, minutes: float) -> list[dict[str, Any]]:
    """The series of a query over the last minutes."""
    query = query.replace("$instance", ".*").replace("$__rate_interval", "1m")
    end = time.time()
    given = {"query": query, "start": end - minutes * 60, "end": end, "step": minutes * 60 / POINTS}
    with urllib.request.urlopen(f"{address}/api/v1/query_range?{urllib.parse.urlencode(given)}") as answer:
        return json.load(answer)["data"]["result"]


def legend(template: str, labels: dict[str, str]) -> str:
    """The name of a line."""
    for name, value in labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def short(value: float, unit: str) -> str:
    """A figure as Grafana would shorten it."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if value == 0:
        return "0"
    if unit in {"s", "ms", "µs"}:
        seconds = value * {"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]
        for factor, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if abs(seconds) >= factor:
                return f"{seconds / factor:.3g} {name}"
        return "0"
    base = 1024 if unit == "bytes" else 1000
    prefixes = ["", "Ki", "Mi", "Gi"] if unit == "bytes" else ["", " k", " M", " G"]
    power = min(int(math.log(abs(value), base)), 3) if abs(value) >= base else 0
    end = {"bytes": "B", "ops": "/s"}.get(unit, "")
    number = f"{value / base**power:.3g}"
    return f"{number} {prefixes[power]}{end}" if unit == "bytes" else f"{number}{prefixes[power]}{end}"


def draw(axes: Axes, panel: dict[str, Any], address: str, minutes: float) -> None:
    """One panel."""
    colours = plt.get_cmap("tab20").colors
    axes.set_prop_cycle(color=colours[::2] + colours[1::2])
    characters = CHARACTERS * panel["gridPos"]["w"] / 24
    unit = panel["fieldConfig"]["defaults"]["unit"]
    top = 0.0
    for target in panel["targets"]:
        for series in ask(address, target["expr"], minutes):
            times = [float(at) / 86400 for at, _ in series["values"]]
            values = [float(value) for _, value in series["values"]]
            (line,) = axes.plot(times, values, linewidth=1.4, label=legend(target["legendFormat"], series["metric"]))
            axes.fill_between(times, values, alpha=0.08, color=line.get_color())
            top = max([top, *(value for value in values if math.isfinite(value))])
    axes.set_ylim(0, top * 1.1 or 1)
    axes.set_title(panel["title"], loc="left", fontsize=11, fontweight="bold")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value, unit)))
    if unit == "bytes" and top > 0:
        axes.yaxis.set_major_locator(MultipleLocator(2 ** math.ceil(math.log2(top / 6))))
    axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=5))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    axes.tick_params(labelsize=8.5, length=0)
    axes.grid(color="#e4e7ec", linewidth=0.8)
    for side in axes.spines.values():
        side.set_visible(False)
    names = [str(line.get_label()) for line in axes.get_lines()]
    if names:
        columns = max(1, int(characters // (max(map(len, names)) + 6)))
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=columns, fontsize=8, frameon=False, borderaxespad=0, handlelength=1)


def draw_row(panels: list[dict[str, Any]], address: str, minutes: float, picture: Path) -> None:
    """The panels of one row, as many side by side as on the dashboard."""
    columns = 24 // panels[0]["gridPos"]["w"]
    lines = math.ceil(len(panels) / columns)
    figure, places = plt.subplots(lines, columns, figsize=(15, 3.3 * lines), squeeze=False, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    for axes, panel in zip(places.flat, panels, strict=False):
        draw(axes, panel, address, minutes)
    for axes in list(places.flat)[len(panels) :]:
        axes.set_visible(False)
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    subprocess.run(["pngquant", "--force", "--strip", "--speed", "1", "--output", picture, COLOURS_OF_A_PICTURE, picture], check=True)


def rows() -> dict[str, list[dict[str, Any]]]:
    """The dashboard's panels by the title of their row."""
    found: dict[str, list[dict[str, Any]]] = {}
    for panel in json.loads((Path(__file__).parent / "dashboard.json").read_text())["panels"]:
        if panel["type"] == "row":
            found[panel["title"]] = []
        else:
            found[list(found)[-1]].append(panel)
    return found


def main() -> None:
    """Draws each row."""
    address, minutes, folder = sys.argv[1:]
    for title, panels in rows().items():
        draw_row(panels, address, float(minutes), Path(folder) / f"{title.lower().replace(' ', '-')}.png")


if __name__ == "__main__":
    main()
