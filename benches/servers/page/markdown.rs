//! What was measured, as Markdown.

use super::Measured;
use super::charts::Written;
use crate::common::kept::{Kept, Setting};
use crate::common::sheet::{Row, Sheet};
use crate::common::spread::{Spread, with_commas};

/// A part's heading.
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
    let mut text = setting(main, others);
    for (part, kept) in &main.parts {
        let heading = HEADINGS.iter().find(|(name, _)| name == part).map_or(*part, |(_, heading)| heading);
        text.push_str(&format!("## {heading}\n\n"));
        for chart in charts.iter().filter(|chart| chart.part == *part) {
            text.push_str(&format!("![{}](charts/{})\n\n", chart.title, chart.file));
        }
        for sheet in &kept.sheets {
            text.push_str(&table(sheet));
        }
        let beside = beside(part, kept, others);
        if !beside.is_empty() {
            text.push_str(&folded("Each server", &beside));
        }
    }
    text
}

fn setting(main: &Measured, others: &[Measured]) -> String {
    let Some((_, Kept { setting, .. })) = main.parts.first() else { return String::new() };
    let names: Vec<&str> = others.iter().map(Measured::server).collect();
    let others_too = if names.is_empty() {
        String::new()
    } else {
        format!(" Under \"Each server\" are the medians of {} too.", names.join(", "))
    };
    let mut times =
        head(&["part", "server", "at, UTC", "took", "load average before; after"].map(str::to_owned));
    for measured in std::iter::once(main).chain(others) {
        for (part, kept) in &measured.parts {
            let Setting { server, moment, seconds, load: [before, after], .. } = &kept.setting;
            times.push_str(&format!("| {part} | {server} | {moment} | {seconds} s | {before}; {after} |\n"));
        }
    }
    format!(
        "Measured on {}, Linux {}, quotelock {}. The figures are of {}.{others_too}\n\n{}",
        setting.machine,
        setting.kernel,
        env!("CARGO_PKG_VERSION"),
        setting.server,
        folded("When, and how busy the machine was", &format!("{times}\n"))
    )
}

/// What is seen once it is asked for.
fn folded(summary: &str, text: &str) -> String {
    format!("<details>\n<summary>{summary}</summary>\n\n{text}</details>\n\n")
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn head(cells: &[String]) -> String {
    format!("{}|{}\n", line(cells), "---|".repeat(cells.len()))
}

fn table(sheet: &Sheet) -> String {
    let mut text = format!("**{}**\n\n{}", sheet.title, head(&sheet.heads()));
    for row in &sheet.rows {
        let mark = |cell: &Option<Spread>| cell.map_or("", |cell| mark(row, cell.median));
        let cells = sheet.cells(row).into_iter().zip(&row.cells).map(|(text, cell)| text + mark(cell));
        text.push_str(&line(&start(sheet, row).chain(cells).collect::<Vec<_>>()));
    }
    text.push('\n');
    text
}

/// A row's name, and what it is to come up to.
fn start<'row>(sheet: &Sheet, row: &'row Row) -> impl Iterator<Item = String> + use<'row> {
    let goal = sheet.has_goals().then(|| row.wants.show());
    std::iter::once(name(&row.name)).chain(goal)
}

/// What stands behind a figure that does not come up to its goal.
fn mark(row: &Row, figure: f64) -> &'static str {
    if row.wants.is_missed_by(figure) { " ✗" } else { "" }
}

/// Numbers as names get their commas.
fn name(name: &str) -> String {
    if name.chars().all(|character| character.is_ascii_digit()) { with_commas(name) } else { name.to_owned() }
}

/// The first column of each table of a part, of all servers, by their medians. A row that a server has alone stays with it.
fn beside(part: &str, main: &Kept, others: &[Measured]) -> String {
    let kept: Vec<&Kept> = std::iter::once(main)
        .chain(
            others
                .iter()
                .flat_map(|other| &other.parts)
                .filter(|(name, _)| *name == part)
                .map(|(_, kept)| kept),
        )
        .collect();
    let mut text = String::new();
    if kept.len() < 2 {
        return text;
    }
    for sheet in &main.sheets {
        let sheets: Vec<Option<&Sheet>> =
            kept.iter().map(|kept| kept.sheets.iter().find(|other| other.title == sheet.title)).collect();
        let Some(column) = sheet.columns.first() else { continue };
        if sheets.iter().flatten().count() < 2 {
            continue;
        }
        let servers = kept.iter().map(|kept| kept.setting.server.clone());
        let goal = sheet.has_goals().then(|| "goal".to_owned());
        let heads: Vec<String> = std::iter::once(sheet.of.clone()).chain(goal).chain(servers).collect();
        text.push_str(&format!("**{}: {}, each server**\n\n{}", sheet.title, column.head, head(&heads)));
        for row in all_rows(&sheets) {
            let medians = sheets.iter().map(|other| {
                let cell = other.and_then(|other| other.rows.iter().find(|other| other.name == row.name));
                let cell = cell.and_then(|row| row.cells.first().copied().flatten());
                cell.map_or_else(
                    || "-".to_owned(),
                    |cell| {
                        let text = with_commas(&format!("{:.*}", column.digits, cell.median));
                        text + mark(row, cell.median)
                    },
                )
            });
            text.push_str(&line(&start(sheet, row).chain(medians).collect::<Vec<_>>()));
        }
        text.push('\n');
    }
    text
}

/// The rows of all, those of one name once.
fn all_rows<'rows>(sheets: &[Option<&'rows Sheet>]) -> Vec<&'rows Row> {
    let mut rows: Vec<&Row> = Vec::new();
    for row in sheets.iter().flatten().flat_map(|sheet| &sheet.rows) {
        if rows.iter().all(|known| known.name != row.name) {
            rows.push(row);
        }
    }
    rows
}
