"""Writes dashboard.json, quotelock's dashboard for Grafana, with Grafana's own SDK, whose types are its schema.

python3 dashboard.py > dashboard.json; `make monitoring` and the tests have the SDK in target/monitoring.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders import common, prometheus, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models

COMMANDS = 'cmd=~"(quotelock|vehprice|priceplan).*"'
P99 = COMMANDS + ',quantile="99"'


@dataclass
class Panel:
    """A panel: title, unit, what it says, and a query for each line, by its legend."""

    title: str
    unit: str
    says: str
    lines: dict[str, str]


def figure(name: str, also: str = "") -> str:
    """A figure of the servers that were chosen."""
    return f'{name}{{job="quotelock",instance=~"$instance"{"," + also if also else ""}}}'


def rate(name: str, also: str = "") -> str:
    """By how much a count grows each second, all servers together."""
    return f"sum(rate({figure(name, also)}[$__rate_interval]))"


def rates(family: str, *names: str) -> dict[str, str]:
    """A line for the rate of each count of a family."""
    return {name.replace("_", " "): rate(f"quotelock_{family}_{name}") for name in names}


def each(name: str, also: str = "") -> dict[str, str]:
    """A line for each server."""
    return {"{{instance}}": figure(name, also)}


def quantile(share: float, sizes: str) -> str:
    """The size that this share of the calls does not exceed."""
    return f"histogram_quantile({share}, sum by (of, le) (rate({figure('quotelock_sizes_bucket', sizes)}[$__rate_interval])))"


ROWS: dict[str, list[Panel]] = {
    "Locks": [
        Panel(
            "ACQUIRE",
            "ops",
            "Outcomes: a lock was there (held), was made, or replaced one near its end. Mostly held: users look again.",
            rates("locks", "held", "created", "refreshed"),
        ),
        Panel(
            "GET",
            "ops",
            "States answered. Missing: no screen has begun a lock, or it has expired. Many while users book: see the runbook.",
            rates("locks", "effective", "close_to_expired", "missing"),
        ),
        Panel("SET and DEL", "ops", "Locks written by SET, and deleted.", rates("locks", "set", "deleted")),
        Panel(
            "Values that are not locks",
            "short",
            "In 10 minutes. Anything above 0: something else writes these keys.",
            {"{{instance}}": f"increase({figure('quotelock_locks_invalid')}[10m])"},
        ),
        Panel(
            "Prices verified",
            "ops",
            "Verdicts of VEHPRICE.VERIFY. Changed: the user had seen another price.",
            rates("verdicts", "match", "changed", "missing"),
        ),
        Panel(
            "Old and new pricing",
            "ops",
            "Ids sent out (tags) and come back (routes), by pricing. Once legacy routes stop, old pricing can go.",
            rates("tags", "legacy", "core") | {f"route {name}": rate(f"quotelock_routes_{name}") for name in ("legacy", "core", "retired")},
        ),
    ],
    "Tables": [
        Panel("Rows read", "ops", "Rows asked for that were there, and that were not.", rates("rows", "hit", "missed")),
        Panel(
            "Hit rate",
            "percentunit",
            "Share of rows that were there. Falls: rows live too short, or tables are named too finely.",
            {"{{instance}}": figure("quotelock:rows_hit:ratio5m")},
        ),
        Panel("Rows written", "ops", "Rows stored and deleted; on a replica those it is sent.", rates("rows", "stored", "deleted")),
        Panel(
            "Tables",
            "short",
            "Tables in memory. Grows without end: they are named too finely, or nothing in them expires.",
            each("quotelock_tables"),
        ),
        Panel("Rows in tables", "short", "Rows in memory, with those that have expired and were not swept.", each("quotelock_tables_rows")),
        Panel(
            "Copies", "ops", "Answers of CHANGES. Whole should be rare: copies start over.", rates("changes", "asked", "unchanged", "whole")
        ),
        Panel(
            "Rows per call, 95th percentile",
            "short",
            "How many rows calls ask for, write or are answered. Near max-batch calls hold up others.",
            {"{{of}}": quantile(0.95, 'of!="reply"')},
        ),
        Panel(
            "Bytes of a JSON reply",
            "bytes",
            "How long replies of JSON and by column are.",
            {"median": quantile(0.5, 'of="reply"'), "95th percentile": quantile(0.95, 'of="reply"')},
        ),
    ],
    "Claims and waiters": [
        Panel(
            "Claims",
            "ops",
            "Rows claimed to be fetched from upstream, and how claims end: stored or deleted (ended), given up, timed out.",
            rates("claims", "granted", "ended", "released", "expired"),
        ),
        Panel(
            "Fetched in vain, refused",
            "ops",
            "Overtaken: the row came too late to be stored. Refused: there are max-claims.",
            rates("claims", "overtaken", "refused"),
        ),
        Panel("Claims pending", "short", "Rows that someone is fetching now.", each("quotelock_claims_pending")),
        Panel("Clients that wait", "short", "In MGET … BLOCK, for rows that others fetch.", each("quotelock_claims_waiting")),
        Panel(
            "Longest wait",
            "ms",
            "How long the client has waited that came first. Above a fetch's usual time: who fetches has died or hangs.",
            each("quotelock_claims_longest_wait_ms"),
        ),
    ],
    "Sweep": [
        Panel("Rows swept", "ops", "Expired rows taken out as their tables are used.", {"swept": rate("quotelock_rows_expired")}),
        Panel(
            "Backlog",
            "short",
            "Expired rows that wait to be swept, on average: rows swept a second times how long each had waited.",
            {"{{instance}}": figure("quotelock:sweep_backlog_rows:rate5m")},
        ),
        Panel(
            "Sweep delay",
            "ms",
            "How long after its expiry a row is swept, on average. Long while a snapshot is written, and for tables that are rarely used.",
            {"late": f"{rate('quotelock_rows_expired_late_ms')} / ({rate('quotelock_rows_expired')} > 0)"},
        ),
    ],
    "Memory": [
        Panel(
            "Memory of the server",
            "bytes",
            "What it uses, and its bound if it has one.",
            {"used {{instance}}": figure("redis_memory_used_bytes"), "bound {{instance}}": f"{figure('redis_memory_max_bytes')} > 0"},
        ),
        Panel(
            "Tables and claims",
            "bytes",
            "What tables take, as VEHPRICE.INFO counts, and claims with who waits.",
            {"tables {{instance}}": figure("quotelock_tables_bytes"), "claims {{instance}}": figure("quotelock_claims_bytes")},
        ),
        Panel(
            "Bytes per row",
            "bytes",
            "Bytes of tables by rows. Grows: values are longer, or the fields of rows keep changing.",
            {"{{instance}}": figure("quotelock:row_bytes")},
        ),
        Panel(
            "Keys evicted, replies refused",
            "short",
            "In 10 minutes. Both should be 0.",
            {
                "evicted {{instance}}": f"increase({figure('redis_evicted_keys_total')}[10m])",
                "refused {{instance}}": f"increase({figure('quotelock_replies_refused')}[10m])",
            },
        ),
    ],
    "Replication": [
        Panel(
            "How far replicas are behind",
            "bytes",
            "What a failover would lose now, with the locks in it.",
            {"{{slave_ip}}:{{slave_port}}": figure("quotelock:replica_behind_bytes")},
        ),
        Panel(
            "Since a replica reported",
            "s",
            "Replicas report each second. More: the link is down or the replica hangs.",
            {"{{slave_ip}}:{{slave_port}}": figure("redis_connected_slave_lag_seconds")},
        ),
        Panel("Replicas", "short", "Replicas that are connected.", each("redis_connected_slaves")),
    ],
    "Server": [
        Panel(
            "Calls",
            "ops",
            "Calls of each command.",
            {"{{cmd}}": f"sum by (cmd) (rate({figure('redis_commands_total', COMMANDS)}[$__rate_interval]))"},
        ),
        Panel(
            "Mean time per call",
            "s",
            "Processor time of a call, without waiting in BLOCK. The server does one call at a time.",
            {
                "{{cmd}}": f"sum by (cmd) (rate({figure('redis_commands_duration_seconds_total', COMMANDS)}[$__rate_interval]))"
                f" / (sum by (cmd) (rate({figure('redis_commands_total', COMMANDS)}[$__rate_interval])) > 0)"
            },
        ),
        Panel(
            "Time per call, 99th percentile",
            "µs",
            "Since the server began or CONFIG RESETSTAT, as INFO latencystats tells.",
            {"{{cmd}}": f"max by (cmd) ({figure('redis_latency_percentiles_usec', P99)})"},
        ),
        Panel(
            "Calls that fail",
            "ops",
            "Refused before they run (NOPERM, OOM, READONLY) or answered with an error.",
            {
                "{{cmd}}": f"sum by (cmd) (rate({figure('redis_commands_rejected_calls_total', COMMANDS)}[$__rate_interval])"
                f" + rate({figure('redis_commands_failed_calls_total', COMMANDS)}[$__rate_interval]))"
            },
        ),
    ],
}

DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")


def ref_ids() -> Iterator[str]:
    """A, B, C …"""
    return (chr(ord("A") + number) for number in count())


def width_of_each(panels: int) -> int:
    """How wide each of so many panels is, of 24: as near to three side by side as fills the lines."""
    return next((24 // side_by_side for side_by_side in (3, 4, 2) if panels % side_by_side == 0), 8)


def panel(spec: Panel, width: int) -> timeseries.Panel:
    """A panel as Grafana has it."""
    built = (
        timeseries.Panel()
        .title(spec.title)
        .description(spec.says)
        .unit(spec.unit)
        .min(0)
        .datasource(DATASOURCE)
        .height(8)
        .span(width)
        .fill_opacity(10)
        .show_points(kinds.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM).show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
    )
    for (legend, expr), ref in zip(spec.lines.items(), ref_ids(), strict=False):
        built.with_target(prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref).range())
    return built


def dashboard() -> grafana.Dashboard:
    """The dashboard."""
    built = (
        grafana.Dashboard("quotelock")
        .uid("quotelock")
        .description("Locks, tables, claims and memory of quotelock. Alerts: rules.yml. What to do: docs/how-to/runbook.md.")
        .tags(["quotelock", "redis"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(grafana.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            grafana.QueryVariable("instance")
            .label("Server")
            .datasource(DATASOURCE)
            .query('label_values(up{job="quotelock"}, instance)')
            .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
            .multi(True)
            .include_all(True)
            .all_value(".*")
        )
    )
    for title, panels in ROWS.items():
        built.with_row(grafana.Row(title))
        for spec in panels:
            built.with_panel(panel(spec, width_of_each(len(panels))))
    return built


if __name__ == "__main__":
    sys.stdout.write(JSONEncoder(sort_keys=True, indent=2).encode(dashboard().build()) + "\n")
