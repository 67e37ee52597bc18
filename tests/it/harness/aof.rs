//! The AOF as it lies on disk.

use std::fs::{self, File};
use std::io::BufReader;

use redis::Connection;

use super::call::{cmd, info};
use super::clock::{PATIENCE, eventually};
use super::server::Server;
use super::stream::{line, next_command};

/// A BGREWRITEAOF, to its end.
#[track_caller]
pub(crate) fn rewrite(con: &mut Connection) {
    cmd(con, "BGREWRITEAOF");
    eventually(PATIENCE, || {
        let state = info(con, "persistence");
        let done = state["aof_rewrite_in_progress"] == "0" && state["aof_rewrite_scheduled"] == "0";
        done.then(|| assert_eq!(state["aof_last_bgrewrite_status"], "ok"))
    });
}

/// The commands of the AOF's files whose names hold `part`, in order, each as a line.
pub(crate) fn aof_lines(server: &Server, part: &str) -> Vec<String> {
    let files = fs::read_dir(server.dir().join("appendonlydir")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut commands = Vec::new();
    for file in files.iter().filter(|file| file.to_str().unwrap().contains(part)) {
        let mut file = BufReader::new(File::open(file).unwrap());
        while let Some(command) = next_command(&mut file) {
            commands.push(line(&command));
        }
    }
    commands.retain(|command| command != "SELECT 0");
    commands
}
