//! The figures as tables of plain text.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use super::server::{Outcome, Server};
use super::{Case, GOALS, Sample, find};

struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), least: at(0), most: at(last) }
    }

    fn show(&self, digits: usize) -> String {
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

pub(crate) fn print_samples(cases: &[Case]) {
    println!("\nmedian (least - most) of the rounds; busy: the server's share of one core");
    println!(
        "(well below 100 % it waited for its turn or for requests: then trust the CPU time, not the rate)"
    );
    println!("{:<28} {:<32} {:<28} busy", "case", "requests/s", "CPU ns a request");
    for case in cases {
        let spread = |figure: fn(&Sample) -> f64| Spread::of(case.samples.iter().map(figure));
        let rate = spread(|sample| sample.requests_per_second).show(0);
        let cpu = spread(|sample| sample.cpu_per_request).show(0);
        let busy = spread(|sample| sample.requests_per_second * sample.cpu_per_request / 1e9).median * 100.0;
        println!("{:<28} {rate:<32} {cpu:<28} {busy:.0} %", case.name);
    }
}

/// Each ratio is of two samples of one round: machines drift between rounds.
pub(crate) fn print_goals(cases: &[Case]) -> Outcome<()> {
    println!("\nspeed against another case, round by round: median (least - most)");
    println!("{:<42} {:<9} {:<31} by the server's CPU time", "goal", "at least", "by requests/s");
    for (name, rival, at_least) in GOALS {
        let (case, base) = (find(cases, name)?, find(cases, rival)?);
        let ratios = |ratio: fn(&Sample, &Sample) -> f64| {
            let spread =
                Spread::of(case.samples.iter().zip(&base.samples).map(|(case, base)| ratio(case, base)));
            let verdict = if spread.median >= at_least { "met" } else { "NOT MET" };
            format!("{} {verdict}", spread.show(2))
        };
        let by_rate = ratios(|case, base| case.requests_per_second / base.requests_per_second);
        let by_cpu = ratios(|case, base| base.cpu_per_request / case.cpu_per_request);
        println!("{:<42} {at_least:<9} {by_rate:<31} {by_cpu}", format!("{name} / {rival}"));
    }
    Ok(())
}
