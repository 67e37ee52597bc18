//! One command, as often and as fast as `redis-benchmark` sends it.

use std::process::Command;

use super::server::{Outcome, Server};

pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// The server's own, in nanoseconds: steadier than the rate where others use the machine too.
    pub(crate) cpu_per_request: f64,
}

impl Sample {
    /// With 20 clients that send 32 commands at a time.
    pub(crate) fn take(server: &Server, words: &[String], requests: u32) -> Outcome<Self> {
        Self::take_with(server, words, requests, 20, 32)
    }

    pub(crate) fn take_with(
        server: &Server,
        words: &[String],
        requests: u32,
        clients: u32,
        pipeline: u32,
    ) -> Outcome<Self> {
        let cpu_before = server.cpu_time()?;
        let output = Command::new("redis-benchmark")
            .args(["-h", "127.0.0.1", "-p", &server.port.to_string()])
            .args(["-P", &pipeline.to_string(), "-c", &clients.to_string()])
            .args(["-n", &requests.to_string(), "--csv"])
            .args(words)
            .output()
            .map_err(|error| format!("redis-benchmark: {error}"))?;
        let cpu_time = server.cpu_time()? - cpu_before;
        let text = String::from_utf8_lossy(&output.stdout);
        let requests_per_second = rate(&text).ok_or_else(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("redis-benchmark gave no rate for {}: {text}{said}", words.join(" "))
        })?;
        Ok(Self { requests_per_second, cpu_per_request: cpu_time * 1e9 / f64::from(requests) })
    }
}

/// The second column, counted from the right: the first holds the command's words, quotes and all.
fn rate(csv: &str) -> Option<f64> {
    csv.lines().last()?.rsplit(r#"",""#).nth(6)?.parse().ok()
}
