//! The speed of the QUOTELOCK commands beside that of a server's own commands.

mod conditions;
mod many;
mod pipelined;
mod scripts;
mod single;

use std::time::UNIX_EPOCH;

use chrono::{DateTime, SecondsFormat};
use quotelock_testkit::{Result, Server};

use crate::common::bench::Bench;

/// The lock that is read, and the one that is written.
const READ: &str = "hermes:price-lock:42";
const WRITTEN: &str = "hermes:price-lock:43";
pub(crate) const ROLES: &str = r#"["3","7"]"#;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    pipelined::run(bench)?;
    many::run(bench)?;
    single::run(bench)
}

pub(crate) fn now() -> Result<String> {
    moment(0)
}

/// Old enough that a lock of this moment is closing.
fn closing() -> Result<String> {
    moment(330_000)
}

/// This many milliseconds ago.
fn moment(ago: i64) -> Result<String> {
    let millis = i64::try_from(UNIX_EPOCH.elapsed()?.as_millis())? - ago;
    let moment = DateTime::from_timestamp_millis(millis).ok_or("the clock is beyond the calendar")?;
    Ok(moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// As the services write it.
pub(crate) fn lock(query_time: &str) -> String {
    format!(r#"{{"roleIds":{ROLES},"queryTime":"{query_time}"}}"#)
}

/// Writes a fresh lock, which stays held and Effective while a case runs.
fn renew(server: &Server) -> Result<()> {
    server.run(&["SET", READ, &lock(&now()?), "EX", "360"])
}
