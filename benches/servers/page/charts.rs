//! The charts, each of a table.

use std::fs;
use std::path::Path;

use quotelock_testkit::Result;

use super::{Measured, bars, lines};
use crate::common::sheet::Sheet;

pub(crate) struct Written {
    pub(crate) part: &'static str,
    pub(crate) title: &'static str,
    pub(crate) file: &'static str,
}

struct Chart {
    part: &'static str,
    /// The start of its table's title.
    table: &'static str,
    file: &'static str,
    title: &'static str,
    note: &'static str,
    draw: Draw,
}

enum Draw {
    /// A bar for each row, from this column; less is better.
    Less(usize),
    /// The same, where more is better.
    More(usize),
    /// Like `Less`, for the rows of one group.
    Group(usize, &'static str),
    /// A bar for each column of the last row; less is better.
    LastRow,
    Lines,
}

const CHARTS: [Chart; 15] = [
    Chart {
        part: "locks",
        table: "One lock, pipelined",
        file: "locks.svg",
        title: "One lock, pipelined: requests per second",
        note: "More is better. The thin line spans the rounds, from the lowest to the highest.",
        draw: Draw::More(0),
    },
    Chart {
        part: "locks",
        table: "One lock, one client",
        file: "lock-round-trips.svg",
        title: "One client that waits for each reply: µs per lock",
        note: "Less is better.",
        draw: Draw::Less(0),
    },
    Chart {
        part: "tables",
        table: "8,000 vehicles read in one call",
        file: "reads.svg",
        title: "8,000 vehicles read in one call: ms at a client that only reads the bytes",
        note: "Less is better. PING, refused, shows what this many arguments cost when nothing is done with them.",
        draw: Draw::Less(0),
    },
    Chart {
        part: "tables",
        table: "8,000 vehicles written in one call",
        file: "writes.svg",
        title: "8,000 vehicles written in one call: ms at the client",
        note: "Less is better.",
        draw: Draw::Less(0),
    },
    Chart {
        part: "node",
        table: "8,000 vehicles read in Node",
        file: "node.svg",
        title: "8,000 vehicles read in Node with ioredis: ms from call to JavaScript objects",
        note: "Less is better.",
        draw: Draw::Less(0),
    },
    Chart {
        part: "node",
        table: "8,000 vehicles out of a copy in Node",
        file: "node-copies.svg",
        title: "8,000 vehicles read from a copy in the pod: ms, including its round trip",
        note: "Less is better.",
        draw: Draw::Less(0),
    },
    Chart {
        part: "node",
        table: "8,000 vehicles written in Node",
        file: "node-writes.svg",
        title: "8,000 vehicles written in Node with ioredis: ms from JavaScript objects to stored",
        note: "Less is better.",
        draw: Draw::Less(0),
    },
    Chart {
        part: "crowd",
        table: "50 clients, 5,000 requests a second",
        file: "crowd.svg",
        title: "One row, while others read 8,000 vehicles: p99 in ms",
        note: "Less is better. 50 clients, 5,000 requests per second for each way, one in a hundred for 8,000 vehicles.",
        draw: Draw::Group(2, "one row: "),
    },
    Chart {
        part: "refill",
        table: "10 pods find 8,000 rows missing",
        file: "refill.svg",
        title: "10 pods find 8,000 rows missing: calls upstream",
        note: "Less is better. A call has at most 2,000 rows.",
        draw: Draw::Less(1),
    },
    Chart {
        part: "memory",
        table: "Memory: bytes a vehicle",
        file: "memory.svg",
        title: "Memory: bytes per vehicle, with the most vehicles",
        note: "Less is better. Two short fields; in one hash of JSON, rows have no expiry.",
        draw: Draw::LastRow,
    },
    Chart {
        part: "growth",
        table: "1,000 ids of a growing number of rows",
        file: "growth-rows.svg",
        title: "1,000 ids of a growing number of rows: ms",
        note: "Less is better.",
        draw: Draw::Lines,
    },
    Chart {
        part: "growth",
        table: "A growing number of ids",
        file: "growth-ids.svg",
        title: "A growing number of ids: ms",
        note: "Less is better. Reads from 20,000 rows.",
        draw: Draw::Lines,
    },
    Chart {
        part: "growth",
        table: "1,000 ids of 8,000 rows",
        file: "growth-fields.svg",
        title: "1,000 ids of rows of a growing number of fields: ms",
        note: "Less is better.",
        draw: Draw::Lines,
    },
    Chart {
        part: "growth",
        table: "One row, a growing number of clients",
        file: "growth-clients.svg",
        title: "One row, a growing number of clients: requests per second",
        note: "More is better.",
        draw: Draw::Lines,
    },
    Chart {
        part: "persistence",
        table: "1,000,000 vehicles",
        file: "sync.svg",
        title: "1,000,000 vehicles: a replica's full sync, in s",
        note: "Less is better.",
        draw: Draw::Less(5),
    },
];

/// Draws those whose tables were measured.
pub(crate) fn write(directory: &Path, measured: &Measured) -> Result<Vec<Written>> {
    fs::create_dir_all(directory)?;
    let mut written = Vec::new();
    for Chart { part, table, file, title, note, draw } in CHARTS {
        let results = measured.parts.iter().find(|(name, _)| *name == part);
        let sheet = results
            .and_then(|(_, results)| results.sheets.iter().find(|sheet| sheet.title.starts_with(table)));
        let Some(sheet) = sheet else { continue };
        let text = match draw {
            Draw::Less(column) => bars::draw(title, note, sheet, column, false),
            Draw::More(column) => bars::draw(title, note, sheet, column, true),
            Draw::Group(column, group) => bars::draw(title, note, &rows_of(sheet, group), column, false),
            Draw::LastRow => bars::draw(title, note, &last_row(sheet), 0, false),
            Draw::Lines => lines::draw(title, note, sheet),
        };
        fs::write(directory.join(file), text)?;
        written.push(Written { part, title, file });
    }
    Ok(written)
}

/// The rows of one group (`one row: …`), without its name.
fn rows_of(sheet: &Sheet, group: &str) -> Sheet {
    let mut some = sheet.clone();
    some.rows.retain_mut(|row| {
        let name = row.name.strip_prefix(group).map(str::to_owned);
        row.name = name.clone().unwrap_or_default();
        name.is_some()
    });
    some
}

/// The columns of the last row as rows.
fn last_row(sheet: &Sheet) -> Sheet {
    let mut transposed = Sheet::new(&sheet.title, &sheet.row_head, &[("", 1)]);
    if let Some(row) = sheet.rows.last() {
        for (column, cell) in sheet.columns.iter().zip(&row.cells) {
            transposed.row(&column.head, [*cell]);
        }
    }
    transposed
}
