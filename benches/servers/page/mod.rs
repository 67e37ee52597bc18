//! Writes the measured part of docs/benchmarks.md, and its charts, from what was kept.

mod bars;
mod charts;
mod lines;
mod markdown;
mod svg;

use std::fs;
use std::path::Path;

use crate::common::kept::Kept;
use crate::common::server::{Outcome, at_hand};

const BEGIN: &str = "<!-- measured: `make bench` writes what stands between here and the end mark -->\n";
const END: &str = "<!-- end of what was measured -->\n";

/// What was measured on one server.
pub(crate) struct Measured {
    pub(crate) parts: Vec<(&'static str, Kept)>,
}

impl Measured {
    fn read(directory: &Path, server: &str, parts: &[&'static str]) -> Outcome<Self> {
        let mut found = Vec::new();
        for &part in parts {
            if let Some(kept) = Kept::read(&Kept::path(directory, server, part))? {
                found.push((part, kept));
            }
        }
        Ok(Self { parts: found })
    }

    /// The server's name and version.
    pub(crate) fn server(&self) -> &str {
        self.parts.first().map_or("", |(_, kept)| kept.setting.server.as_str())
    }
}

/// Into docs if it is to be published, else beside what was kept.
pub(crate) fn write(directory: &Path, main: &str, parts: &[&'static str], publish: bool) -> Outcome<()> {
    let mut servers = at_hand()?;
    servers.sort_by_key(|name| name != main);
    let mut measured = Vec::new();
    for server in servers {
        let of_server = Measured::read(directory, &server, parts)?;
        if !of_server.parts.is_empty() {
            measured.push(of_server);
        }
    }
    let Some((first, others)) = measured.split_first() else { return Err("nothing was measured".into()) };

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
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
