use std::process::{Command, Output};

/// How long a program may take, in seconds: one that hangs must not hold up all tests.
const LIMIT: &str = "900";

/// Runs a program to its end, which is forced if it doesn't come.
#[track_caller]
pub(crate) fn output(command: &Command) -> Output {
    let mut bounded = Command::new("timeout");
    bounded.arg(LIMIT).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        bounded.current_dir(directory);
    }
    bounded.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
