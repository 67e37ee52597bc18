//! The rules by themselves.

use std::collections::BTreeSet;
use std::process::Command;
use std::{env, fs};

use super::file;
use crate::harness::*;

/// The alerts of `rules.yml`.
fn alerts() -> Vec<String> {
    let rules = file("rules.yml");
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

#[test]
fn each_fires_when_it_should_and_not_when_it_should_not() {
    for arguments in [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules.test.yml"],
    ] {
        // Where `scripts/setup` puts it, if this machine has none.
        let path =
            format!("{}:{}", env::var("PATH").unwrap(), workspace().join("target/metrics/usr/bin").display());
        let mut promtool = Command::new("promtool");
        promtool.env("PATH", path);
        promtool.args(arguments).current_dir(workspace().join("deploy/monitoring"));
        let out = output(&promtool);
        let said = [out.stdout, out.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(out.status.success(), "{said}");
        assert!(said.contains("SUCCESS") && !said.contains("FAILED"), "{said}");
    }
    // Both are tried for each, and a server of another job.
    let tests = file("rules.test.yml");
    let (mut fire, mut rest, mut others) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for test in tests.split("  - name: '").skip(1) {
        let name = test.split(':').next().unwrap().to_owned();
        assert!(test.contains(&format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}}")), "{test}");
        if test.contains("job=\"other\"") {
            assert!(test.contains("exp_samples: []"), "{test}");
            others.insert(name)
        } else if test.contains("exp_samples: []") {
            rest.insert(name)
        } else {
            fire.insert(name)
        };
    }
    let all: BTreeSet<String> = alerts().into_iter().collect();
    assert!(all.len() > 10, "{all:?}");
    assert_eq!((&fire, &rest, &others), (&all, &all, &all));
}

#[test]
fn each_leads_to_its_place_in_the_runbook() {
    let runbook = fs::read_to_string(workspace().join("docs/how-to/runbook.md")).unwrap();
    // As GitHub makes anchors of headings of one word.
    let anchors: BTreeSet<String> =
        runbook.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_lowercase).collect();
    let rules = file("rules.yml");
    let links: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: ")).collect();
    assert_eq!(links.len(), alerts().len());
    for (alert, link) in alerts().iter().zip(links) {
        assert_eq!(link, format!("docs/how-to/runbook.md#{}", alert.to_lowercase()));
        assert!(anchors.contains(&alert.to_lowercase()), "there is no {link}");
    }
}
