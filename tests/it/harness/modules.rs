//! The modules of `tests/modules/`, which tests load beside ours.

use std::process::Command;

use quotelock_testkit::{path, workspace};
use redis::Connection;

use super::call::cmd;

/// Builds a module of `tests/modules/` and loads it.
#[track_caller]
pub(crate) fn load_beside(con: &mut Connection, name: &str) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--example", name])
        .current_dir(workspace())
        .status()
        .unwrap();
    assert!(built.success(), "{name} isn't built");
    let library = path("CARGO_TARGET_DIR", "target").join(format!("debug/examples/lib{name}.so"));
    cmd(con, &["MODULE", "LOAD", library.to_str().unwrap()]);
}
