//! Figures as text, and where they were measured.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use super::server::{Outcome, Server};

pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), least: at(0), most: at(last) }
    }

    pub(crate) fn show(&self, digits: usize) -> String {
        if self.least == self.most {
            return format!("{:.digits$}", self.median);
        }
        format!("{:.digits$} ({:.digits$} - {:.digits$})", self.median, self.least, self.most)
    }
}

pub(crate) fn print_setting(server: &Server, module: &Path) -> Outcome<()> {
    let version = |field| server.info::<String>("server", field);
    let valkey = version("valkey_version").map(|version| format!("Valkey {version}"));
    let name = valkey.or_else(|_| version("redis_version").map(|version| format!("Redis {version}")))?;
    println!("machine:  {} cores, {}", available_parallelism()?, processor());
    println!("load average at the start: {}", load());
    println!("server:   {name}");
    println!("module:   {}", module.display());
    Ok(())
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown processor", |(_, name)| name).to_owned()
}

pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split(' ').take(3).collect();
    averages.join(" ")
}
