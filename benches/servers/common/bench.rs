//! One part of the benchmark on one server.

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::kept::{Kept, Setting, load};
use super::server::{Outcome, Server, path};
use super::sheet::Sheet;

/// How long it may take.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Size {
    Full,
    /// On the servers that are not the main one.
    Short,
    Quick,
}

pub(crate) struct Bench {
    /// The server's directory under `target/servers`.
    pub(crate) server: String,
    part: &'static str,
    size: Size,
    sheets: Vec<Sheet>,
}

impl Bench {
    pub(crate) fn new(server: &str, part: &'static str, size: Size) -> Self {
        Self { server: server.to_owned(), part, size, sheets: Vec::new() }
    }

    /// A server with the module and nothing in it.
    pub(crate) fn start(&self) -> Outcome<Server> {
        Server::start(&self.server, &[])
    }

    /// The same with RedisJSON, if that was fetched.
    pub(crate) fn start_with_redis_json(&self) -> Outcome<Server> {
        match redis_json() {
            Some(library) => Server::start(&self.server, &["--loadmodule".into(), library.into()]),
            None => self.start(),
        }
    }

    pub(crate) fn pick<T>(&self, full: T, short: T, quick: T) -> T {
        match self.size {
            Size::Full => full,
            Size::Short => short,
            Size::Quick => quick,
        }
    }

    /// Takes all in turn, round after round, so that a slow spell of the machine meets all alike.
    pub(crate) fn rounds<T>(
        &self,
        rounds: u32,
        all: &mut [T],
        mut take: impl FnMut(&mut T) -> Outcome<()>,
    ) -> Outcome<()> {
        for round in 1..=rounds {
            self.say(&format!("round {round} of {rounds}"));
            all.iter_mut().try_for_each(&mut take)?;
            // Forth and back, so that none is always the first.
            all.reverse();
        }
        if rounds % 2 == 1 {
            all.reverse();
        }
        Ok(())
    }

    /// What goes on now; a terminal shows it in one line, which goes again.
    pub(crate) fn say(&self, now: &str) {
        if stderr().is_terminal() {
            eprint!("\r\x1b[K{}, {}: {now}\r", self.server, self.part);
        }
    }

    pub(crate) fn add(&mut self, sheet: Sheet) {
        if stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
        sheet.print();
        self.sheets.push(sheet);
    }

    /// Runs the part, and keeps what it has measured.
    pub(crate) fn run(mut self, run: fn(&mut Self) -> Outcome<()>, directory: &Path) -> Outcome<()> {
        let mut setting = Setting::take(&self.start()?)?;
        let start = Instant::now();
        eprintln!("-- {} on {}, load average {}", self.part, setting.server, load());
        run(&mut self)?;
        setting.seconds = start.elapsed().as_secs();
        setting.load[1] = load();
        eprintln!("-- {} took {} s", self.part, setting.seconds);
        let path = Kept::path(directory, &self.server, self.part);
        Kept { setting, sheets: self.sheets }.write(&path)
    }
}

fn redis_json() -> Option<PathBuf> {
    Some(path("REDIS_JSON", "target/bench/rejson.so")).filter(|library| library.exists())
}
