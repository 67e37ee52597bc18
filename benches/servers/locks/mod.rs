//! What the QUOTELOCK commands cost beside what a server has of its own.

mod pipelined;
mod scripts;
mod single;

use std::time::UNIX_EPOCH;

use chrono::{DateTime, SecondsFormat};

use crate::common::bench::Bench;
use crate::common::server::{Outcome, Server};

/// The lock that is read, and the one that is written.
const READ: &str = "hermes:price-lock:42";
const WRITTEN: &str = "hermes:price-lock:43";
pub(crate) const ROLES: &str = r#"["3","7"]"#;

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    pipelined::run(bench)?;
    single::run(bench)
}

pub(crate) fn now() -> Outcome<String> {
    let millis = i64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?;
    let now = DateTime::from_timestamp_millis(millis).ok_or("the clock is beyond the calendar")?;
    Ok(now.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// As the services write it.
pub(crate) fn lock(moment: &str) -> String {
    format!(r#"{{"roleIds":{ROLES},"queryTime":"{moment}"}}"#)
}

/// A lock of this moment, so that it is held and Effective while a case runs.
fn renew(server: &Server) -> Outcome<()> {
    server.run(&["SET", READ, &lock(&now()?), "EX", "360"])
}
