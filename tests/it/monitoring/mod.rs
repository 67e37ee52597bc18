//! `deploy/monitoring`: the alerts fire when they should, and everything that rules and dashboard ask for is there when
//! Prometheus scrapes a server through the exporter.

mod dashboard;
mod live;
mod rules;

use std::fs;

use crate::harness::*;

/// The text of a file there.
fn file(name: &str) -> String {
    fs::read_to_string(workspace().join("deploy/monitoring").join(name)).unwrap()
}
