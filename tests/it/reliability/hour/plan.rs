//! How long it goes on, and how fast things come and go.

use std::time::Duration;

use crate::reliability::full;

/// Users whose locks come and go.
pub(crate) const USERS: u64 = 20_000;
/// Vehicles of a table; beyond these are some that are stored by whoever has claimed them.
pub(crate) const VEHICLES: u64 = 1500;

#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Load before the first look at what an empty server takes.
    pub(crate) warm_up: Duration,
    /// Load between that look and the last.
    pub(crate) load: Duration,
    /// From one sample to the next.
    pub(crate) interval: Duration,
    /// Samples that make a line of the data.
    pub(crate) samples_a_line: usize,
    /// No lock and no table lives longer.
    pub(crate) life_ms: u64,
    /// From one save to the next.
    pub(crate) saves: Duration,
    /// Clients rest this many times as long as in the short form.
    pub(crate) pace: u64,
    /// How far memory besides keys may be in the last third above the second: buffers, which are more or less by chance.
    pub(crate) trend_bytes: f64,
    /// What an empty server may take more than before: its own bookkeeping.
    pub(crate) rest_bytes: f64,
}

impl Plan {
    pub(crate) fn of_this_run() -> Self {
        if full() {
            let minutes = std::env::var("MINUTES").map_or(60, |minutes| minutes.parse().unwrap());
            return Self {
                warm_up: Duration::from_secs(100),
                load: Duration::from_secs(60 * minutes),
                // Moments begin every ten seconds: each phase of them is seen as often.
                interval: Duration::from_secs(3),
                samples_a_line: 20,
                life_ms: 40_000,
                saves: Duration::from_secs(30),
                pace: 4,
                trend_bytes: 262_144.0,
                rest_bytes: 65_536.0,
            };
        }
        Self {
            warm_up: Duration::from_secs(5),
            load: Duration::from_secs(12),
            interval: Duration::from_millis(200),
            samples_a_line: 5,
            life_ms: 2000,
            saves: Duration::from_secs(2),
            pace: 1,
            trend_bytes: 1_000_000.0,
            rest_bytes: 131_072.0,
        }
    }

    /// A new moment, and so new tables, as often.
    pub(crate) fn align_ms(&self) -> i64 {
        self.life_ms as i64 / 4
    }

    /// Whether this is the run that docs/reliability.md tells of.
    pub(crate) fn is_the_hour(&self) -> bool {
        self.load >= Duration::from_secs(3600)
    }
}
