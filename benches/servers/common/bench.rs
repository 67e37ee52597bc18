//! One part of the benchmark on one server.

use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::Instant;

use quotelock_testkit::{Builder, Kind, Result, Server, path};

use super::results::{Environment, Results, load_averages};
use super::sheet::Sheet;

/// How long it may take.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Size {
    Full,
    /// On all servers but the main one.
    Short,
    Quick,
}

pub(crate) struct Bench {
    server: Kind,
    part: &'static str,
    size: Size,
    sheets: Vec<Sheet>,
}

impl Bench {
    pub(crate) fn new(server: Kind, part: &'static str, size: Size) -> Self {
        Self { server, part, size, sheets: Vec::new() }
    }

    /// An empty server with the module.
    pub(crate) fn start(&self) -> Result<Server> {
        self.builder().try_start()
    }

    /// The same with RedisJSON, if it was fetched.
    pub(crate) fn start_with_redis_json(&self) -> Result<Server> {
        let library = path("REDIS_JSON", "target/bench/rejson.so");
        if !library.exists() {
            return self.start();
        }
        self.builder().conf(format!("loadmodule {}", library.display())).try_start()
    }

    fn builder(&self) -> Builder {
        Server::builder(self.server).conf("repl-diskless-sync-delay 0")
    }

    pub(crate) fn pick<T>(&self, full: T, short: T, quick: T) -> T {
        match self.size {
            Size::Full => full,
            Size::Short => short,
            Size::Quick => quick,
        }
    }

    /// Samples all in turn, round after round, so that a slow spell of the machine affects all alike.
    pub(crate) fn rounds<T>(
        &self,
        rounds: u32,
        all: &mut [T],
        mut sample: impl FnMut(&mut T) -> Result<()>,
    ) -> Result<()> {
        for round in 1..=rounds {
            self.show_progress(&format!("round {round} of {rounds}"));
            all.iter_mut().try_for_each(&mut sample)?;
            // Alternating, so that none is always the first.
            all.reverse();
        }
        if rounds % 2 == 1 {
            all.reverse();
        }
        Ok(())
    }

    /// On a terminal, in one line that the next overwrites.
    pub(crate) fn show_progress(&self, now: &str) {
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

    /// Runs the part, and writes its results.
    pub(crate) fn run(mut self, run: fn(&mut Self) -> Result<()>, directory: &Path) -> Result<()> {
        let mut environment = Environment::of(&self.start()?)?;
        let start = Instant::now();
        eprintln!("-- {} on {}, load average {}", self.part, environment.server, load_averages());
        run(&mut self)?;
        environment.seconds = start.elapsed().as_secs();
        environment.load[1] = load_averages();
        eprintln!("-- {} took {} s", self.part, environment.seconds);
        let path = Results::path(directory, self.server, self.part);
        Results { environment, sheets: self.sheets }.write(&path)
    }
}
