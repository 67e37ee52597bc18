//! What was measured, as Markdown.

use std::iter::once;

use super::Measured;
use super::charts::Written;
use crate::common::results::{Environment, Results};
use crate::common::sheet::{Goal, Row, Sheet};
use crate::common::spread::with_commas;

/// The heading of each part.
const HEADINGS: [(&str, &str); 8] = [
    ("locks", "Locks"),
    ("tables", "Tables"),
    ("node", "In Node"),
    ("crowd", "Many clients at once"),
    ("refill", "Refill"),
    ("memory", "Memory"),
    ("growth", "Growth"),
    ("persistence", "Persistence"),
];

pub(crate) fn page(main: &Measured, others: &[Measured], charts: &[Written]) -> String {
    let mut text = environment(main, others);
    for (part, results) in &main.parts {
        let heading = HEADINGS.iter().find(|(name, _)| name == part).map_or(*part, |(_, heading)| heading);
        text.push_str(&format!("## {heading}\n\n"));
        for chart in charts.iter().filter(|chart| chart.part == *part) {
            text.push_str(&format!("![{}](charts/{})\n\n", chart.title, chart.file));
        }
        for sheet in &results.sheets {
            let rows =
                sheet.rows.iter().map(|row| sheet.texts(name(row), row.goal, sheet.cells(row, miss_mark)));
            text.push_str(&titled(&sheet.title, &table(&sheet.heads(sheet.column_heads()), rows)));
        }
        let each_server = each_server(part, results, others);
        if !each_server.is_empty() {
            text.push_str(&details("Each server", &each_server));
        }
    }
    text
}

fn environment(main: &Measured, others: &[Measured]) -> String {
    let Some((_, Results { environment, .. })) = main.parts.first() else { return String::new() };
    let names: Vec<&str> = others.iter().map(Measured::server).collect();
    let other_servers = if names.is_empty() {
        String::new()
    } else {
        format!(" \"Each server\" also has the medians of {}.", names.join(", "))
    };
    let runs = once(main).chain(others).flat_map(|measured| &measured.parts).map(|(part, results)| {
        let Environment { server, started, seconds, load: [before, after], .. } = &results.environment;
        vec![
            (*part).to_owned(),
            server.clone(),
            started.clone(),
            format!("{seconds} s"),
            format!("{before}; {after}"),
        ]
    });
    let heads = ["part", "server", "at, UTC", "took", "load average before; after"].map(str::to_owned);
    format!(
        "Measured on {}, Linux {}, quotelock {}. The figures are from {}.{other_servers}\n\n{}",
        environment.machine,
        environment.kernel,
        env!("CARGO_PKG_VERSION"),
        environment.server,
        details("When it ran, and how busy the machine was", &table(&heads, runs))
    )
}

fn details(summary: &str, text: &str) -> String {
    format!("<details>\n<summary>{summary}</summary>\n\n{text}</details>\n\n")
}

fn titled(title: &str, table: &str) -> String {
    format!("**{title}**\n\n{table}")
}

/// Own, as table writers pad each cell: then one longer figure would change every line of its table.
fn table(heads: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rows: String = rows.map(|row| line(&row)).collect();
    format!("{}|{}\n{rows}\n", line(heads), "---|".repeat(heads.len()))
}

fn miss_mark(goal: Goal, median: f64) -> &'static str {
    if goal.is_missed_by(median) { " ✗" } else { "" }
}

/// A row's name, with commas if it is a number.
fn name(row: &Row) -> String {
    if row.name.chars().all(|character| character.is_ascii_digit()) {
        with_commas(&row.name)
    } else {
        row.name.clone()
    }
}

/// The medians of each table's first column on all servers.
fn each_server(part: &str, main: &Results, others: &[Measured]) -> String {
    let others = others.iter().flat_map(|other| &other.parts).filter(|(name, _)| *name == part);
    let servers: Vec<&Results> = once(main).chain(others.map(|(_, results)| results)).collect();
    let mut text = String::new();
    for sheet in &main.sheets {
        let sheets: Vec<Option<&Sheet>> = servers
            .iter()
            .map(|server| server.sheets.iter().find(|other| other.title == sheet.title))
            .collect();
        let Some(column) = sheet.columns.first() else { continue };
        if sheets.iter().flatten().count() < 2 {
            continue;
        }
        let heads = sheet.heads(servers.iter().map(|server| server.environment.server.clone()));
        let rows = all_rows(&sheets).into_iter().map(|row| {
            let medians = sheets.iter().map(|other| {
                let same = other.and_then(|other| other.rows.iter().find(|other| other.name == row.name));
                let Some(cell) = same.and_then(|same| same.cells.first()) else { return "-".to_owned() };
                let median = with_commas(&format!("{:.*}", column.digits, cell.median));
                median + miss_mark(row.goal, cell.median)
            });
            sheet.texts(name(row), row.goal, medians)
        });
        let title = format!("{}: {}, each server", sheet.title, column.head);
        text.push_str(&titled(&title, &table(&heads, rows)));
    }
    text
}

/// Each row that any server has, once.
fn all_rows<'rows>(sheets: &[Option<&'rows Sheet>]) -> Vec<&'rows Row> {
    let mut rows: Vec<&Row> = Vec::new();
    for row in sheets.iter().flatten().flat_map(|sheet| &sheet.rows) {
        if rows.iter().all(|known| known.name != row.name) {
            rows.push(row);
        }
    }
    rows
}
