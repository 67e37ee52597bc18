//! Writes the measured part of docs/benchmarks.md, and its charts.

mod bars;
mod charts;
mod lines;
mod markdown;

use std::fs;
use std::path::Path;

use quotelock_testkit::{Kind, Result, workspace};

use crate::common::results::Results;

const BEGIN: &str = "<!-- measured: `make bench` writes what stands between here and the end mark -->\n";
const END: &str = "<!-- end of what was measured -->\n";

/// What was measured on one server.
pub(crate) struct Measured {
    pub(crate) parts: Vec<(&'static str, Results)>,
}

impl Measured {
    fn read(directory: &Path, server: Kind, parts: &[&'static str]) -> Result<Self> {
        let mut found = Vec::new();
        for &part in parts {
            if let Some(results) = Results::read(&Results::path(directory, server, part))? {
                found.push((part, results));
            }
        }
        Ok(Self { parts: found })
    }

    /// The server's name and version.
    pub(crate) fn server(&self) -> &str {
        self.parts.first().map_or("", |(_, results)| results.environment.server.as_str())
    }
}

/// Writes into docs if it is to be published, else beside the results.
pub(crate) fn write(directory: &Path, main: Kind, parts: &[&'static str], publish: bool) -> Result<()> {
    let mut servers = Kind::measured()?;
    servers.sort_by_key(|server| *server != main);
    let mut measured = Vec::new();
    for server in servers {
        let of_server = Measured::read(directory, server, parts)?;
        if !of_server.parts.is_empty() {
            measured.push(of_server);
        }
    }
    let Some((first, others)) = measured.split_first() else { return Err("nothing was measured".into()) };

    let docs = workspace().join("docs");
    let text = fs::read_to_string(docs.join("benchmarks.md"))?;
    let (before, rest) = text.split_once(BEGIN).ok_or("docs/benchmarks.md has no begin mark")?;
    let (_, after) = rest.split_once(END).ok_or("docs/benchmarks.md has no end mark")?;
    let to = if publish { docs } else { directory.to_owned() };
    let charts = charts::write(&to.join("charts"), first)?;
    let page = to.join("benchmarks.md");
    fs::write(&page, format!("{before}{BEGIN}\n{}\n{END}{after}", markdown::page(first, others, &charts)))?;
    eprintln!("Written: {}, with {} charts", page.display(), charts.len());
    Ok(())
}
