//! The dashboard by itself.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use super::file;
use crate::harness::*;

/// What a program there prints, with Grafana's SDK at hand.
fn python(program: &str, input: &str) -> String {
    let sdk = workspace().join("target/monitoring");
    assert!(sdk.exists(), "there is no {}: run make test", sdk.display());
    let mut python = Command::new("python3");
    python.arg(workspace().join("deploy/monitoring").join(program)).env("PYTHONPATH", sdk);
    let mut running = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = running.wait_with_output().unwrap();
    assert!(out.status.success(), "{program} failed");
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn is_as_its_generator_writes_it_and_as_grafana_reads_it() {
    let written = file("dashboard.json");
    assert!(python("dashboard.py", "") == written, "python3 dashboard.py > dashboard.json was not run");
    assert!(python("read.py", &written) == written, "Grafana's types do not know all of dashboard.json");
    let strange = written.replacen("\"refresh\"", "\"refreshes\"", 1);
    assert!(python("read.py", &strange) != strange, "what no type knows would not be found");
}

/// Title and queries, with their legends, of each panel that is no row.
pub(super) fn panels() -> Vec<(String, Vec<String>)> {
    let dashboard: serde_json::Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    panels
        .map(|panel| {
            let targets = panel["targets"].as_array().unwrap();
            (text(&panel["title"]), targets.iter().map(|target| text(&target["expr"])).collect())
        })
        .collect()
}

#[test]
fn each_panel_says_what_it_shows() {
    let dashboard: serde_json::Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let rows: Vec<_> =
        panels.iter().filter(|panel| panel["type"] == "row").map(|row| &row["title"]).collect();
    assert_eq!(rows, ["Locks", "Tables", "Claims and waiters", "Sweep", "Memory", "Replication", "Server"]);
    let guide = workspace().join("docs/how-to");
    let page = fs::read_to_string(guide.join("monitoring.md")).unwrap();
    for row in rows.iter().filter_map(|row| row.as_str()) {
        let picture = format!("pictures/{}.png", row.to_lowercase().replace(' ', "-"));
        let shown = format!("### {row}\n\n![The panels of the row {row}]({picture})\n");
        assert!(page.contains(&shown) && guide.join(&picture).exists(), "the guide does not show {row}");
    }
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let is_said = |value: &serde_json::Value| value.as_str().is_some_and(|text| !text.is_empty());
        assert!(is_said(&panel["title"]), "{panel}");
        let description = panel["description"].as_str().unwrap();
        assert!(description.len() > 20 && description.ends_with('.'), "{}: {description}", panel["title"]);
        assert!(is_said(&panel["fieldConfig"]["defaults"]["unit"]), "{}", panel["title"]);
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            assert!(is_said(&target["expr"]) && is_said(&target["legendFormat"]), "{target}");
        }
    }
}
