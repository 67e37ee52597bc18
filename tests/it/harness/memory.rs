//! What memory a server has taken.

use std::fs;

use redis::Connection;

use super::call::info;

/// The most memory the server has had at once, in bytes.
#[track_caller]
pub(crate) fn peak(con: &mut Connection) -> u64 {
    let pid = &info(con, "server")["process_id"];
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
