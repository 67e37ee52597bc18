//! The AOF as it lies on disk.

use std::fs;

use quotelock_testkit::{Server, TIMEOUT};
use redis::Connection;

use super::call::{cmd, info};
use super::clock::eventually;
use super::stream::{Sent, commands_in, line};

/// A BGREWRITEAOF, to its end.
#[track_caller]
pub(crate) fn rewrite(con: &mut Connection) {
    cmd(con, "BGREWRITEAOF");
    eventually(TIMEOUT, || {
        let state = info(con, "persistence");
        let done = state["aof_rewrite_in_progress"] == "0" && state["aof_rewrite_scheduled"] == "0";
        done.then(|| assert_eq!(state["aof_last_bgrewrite_status"], "ok"))
    });
}

/// The commands of the AOF's files whose names hold `part`, in order, each as a line.
pub(crate) fn aof_lines(server: &Server, part: &str) -> Vec<String> {
    let mut lines: Vec<String> = aof_commands(server, part).iter().map(line).collect();
    lines.retain(|line| line != "SELECT 0");
    lines
}

/// The same as their words, with what selects a database.
pub(crate) fn aof_commands(server: &Server, part: &str) -> Vec<Sent> {
    let files = fs::read_dir(server.dir().join("appendonlydir")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut commands = Vec::new();
    for file in files.iter().filter(|file| file.to_str().unwrap().contains(part)) {
        commands.extend(commands_in(&fs::read(file).unwrap()));
    }
    commands
}
