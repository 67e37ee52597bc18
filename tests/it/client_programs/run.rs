//! How a program is built and run.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::{env, fs};

use quotelock_testkit::poll;

use super::place::Place;
use super::programs::Program;
use crate::harness::{TIMEOUT, output, workspace};

/// A program that runs.
pub(super) struct Running(Child);

impl Running {
    /// Starts it for this user.
    pub(super) fn start(program: &Program, protocol: u8, place: &Place<'_>, user: &str) -> Self {
        let rename = program.written_for.map(|package| (package, program.package.name()));
        Self::edited(program, protocol, place, user, rename.as_slice())
    }

    /// The same, with each first text replaced by the second.
    pub(super) fn edited(
        program: &Program,
        protocol: u8,
        place: &Place<'_>,
        user: &str,
        edits: &[(&str, &str)],
    ) -> Self {
        let mut command = if edits.is_empty() { from_file(program.file) } else { from_stdin(program.file) };
        command.arg(user).current_dir(folder());
        command.env("REDIS_URL", place.url()).env("REDIS_MODE", place.mode().name());
        command.env("RESP", protocol.to_string());
        let packages = ["target/python", "target/python-clients"].map(|at| workspace().join(at));
        command.env("PYTHONPATH", env::join_paths(packages).unwrap()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        if !edits.is_empty() {
            let mut text = fs::read_to_string(folder().join(program.file)).unwrap();
            for (from, to) in edits {
                assert!(text.contains(from), "{} has no {from}", program.file);
                text = text.replace(from, to);
            }
            stdin.write_all(text.as_bytes()).unwrap();
        }
        Self(child)
    }

    /// What it printed, or how it failed.
    pub(super) fn said(mut self) -> Result<String, String> {
        let status = poll(TIMEOUT, || self.0.try_wait().unwrap()).ok_or("it hangs")?;
        let (mut said, mut complained) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
        if !status.success() {
            return Err(said + &complained);
        }
        // GLIDE logs there, too, of a call that waits for long.
        let is_ours = |line: &&str| ["asked ", "map ", "reserve "].iter().any(|word| line.starts_with(word));
        Ok(said.lines().filter(is_ours).map(|line| format!("{line}\n")).collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn folder() -> PathBuf {
    workspace().join("examples/clients")
}

fn from_file(file: &str) -> Command {
    let mut command = match ending(file) {
        "c" => return Command::new(&*HIREDIS),
        "go" => return Command::new(&*REDIGO),
        "mjs" => Command::new("node"),
        "php" => Command::new("php"),
        "py" => Command::new("python3"),
        "rb" => Command::new("ruby"),
        _ => panic!("no way to run {file}"),
    };
    command.arg(file);
    command
}

/// Runs what comes by its input as if it were in the folder.
fn from_stdin(file: &str) -> Command {
    let (interpreter, words): (_, &[&str]) = match ending(file) {
        "mjs" => ("node", &["--input-type=module", "-"]),
        "py" => ("python3", &["-"]),
        "rb" => ("ruby", &["-"]),
        _ => panic!("no way to run the text of {file}"),
    };
    let mut command = Command::new(interpreter);
    command.args(words);
    command
}

fn ending(file: &str) -> &str {
    file.rsplit('.').next().unwrap()
}

static HIREDIS: LazyLock<PathBuf> = LazyLock::new(|| {
    compiled("hiredis", |program| {
        let mut command = Command::new("cc");
        command.args(["-Wall", "-Wextra", "-Werror", "-o"]).arg(program).args(["hiredis.c", "-lhiredis"]);
        command
    })
});

/// With the packages of the system, and no network.
static REDIGO: LazyLock<PathBuf> = LazyLock::new(|| {
    compiled("redigo", |program| {
        let mut command = Command::new("go");
        command.args(["build", "-o"]).arg(program).arg("redigo.go");
        command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        command.env("GOCACHE", workspace().join("target/go"));
        command
    })
});

fn compiled(name: &str, compiler: impl FnOnce(&Path) -> Command) -> PathBuf {
    let folder = workspace().join("target/clients");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join(name);
    let mut command = compiler(&program);
    let out = output(command.current_dir(self::folder()));
    assert!(out.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&out.stderr));
    program
}
