//! `redis-benchmark`, for one command.

use std::process::Command;

use quotelock_testkit::{Result, Server};

use super::spread::Spread;

pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// The server's, in nanoseconds: steadier than the rate on a busy machine.
    pub(crate) cpu_per_request: f64,
}

pub(crate) const COLUMNS: [(&str, usize); 2] = [("requests/s", 0), ("the server's CPU ns a request", 0)];
pub(crate) const SPEED_COLUMNS: [(&str, usize); 2] = [("by requests/s", 2), ("by the server's CPU", 2)];

/// Under `COLUMNS`.
pub(crate) fn figures(samples: &[Sample]) -> [Spread; 2] {
    Spread::of_columns(samples.iter().map(|sample| [sample.requests_per_second, sample.cpu_per_request]))
}

/// How many times as fast the first are, under `SPEED_COLUMNS`.
pub(crate) fn speeds(ours: &[Sample], theirs: &[Sample]) -> [Spread; 2] {
    let speeds = |sample: &Sample| [sample.requests_per_second, sample.cpu_per_request.recip()];
    Spread::of_ratios(ours.iter().map(speeds), theirs.iter().map(speeds))
}

impl Sample {
    /// From 20 clients that pipeline 32 commands each.
    pub(crate) fn take(server: &Server, command: &[String], requests: u32) -> Result<Self> {
        Self::take_with(server, command, requests, 20, 32)
    }

    pub(crate) fn take_with(
        server: &Server,
        command: &[String],
        requests: u32,
        clients: u32,
        pipeline: u32,
    ) -> Result<Self> {
        let cpu_before = server.cpu_time()?;
        let output = Command::new("redis-benchmark")
            .args(["-h", "127.0.0.1", "-p", &server.port().to_string()])
            .args(["-P", &pipeline.to_string(), "-c", &clients.to_string()])
            .args(["-n", &requests.to_string(), "--csv"])
            .args(command)
            .output()
            .map_err(|error| format!("redis-benchmark: {error}"))?;
        let cpu_time = server.cpu_time()? - cpu_before;
        let text = String::from_utf8_lossy(&output.stdout);
        let requests_per_second = rate(&text).ok_or_else(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("redis-benchmark prints no rate for {}: {text}{said}", command.join(" "))
        })?;
        Ok(Self { requests_per_second, cpu_per_request: cpu_time * 1e9 / f64::from(requests) })
    }
}

/// The second column, counted from the right, as the first holds the command with unescaped quotes.
fn rate(csv: &str) -> Option<f64> {
    csv.lines().last()?.rsplit(r#"",""#).nth(6)?.parse().ok()
}
