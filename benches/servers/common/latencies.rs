//! Percentiles of latencies.

use std::time::Duration;

use hdrhistogram::Histogram;
use quotelock_testkit::Result;

/// In nanoseconds, each to three significant digits.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    /// An error if there are none.
    pub(crate) fn of(latencies: impl IntoIterator<Item = Duration>) -> Result<Self> {
        let mut histogram = Histogram::new(3)?;
        for latency in latencies {
            histogram.record(u64::try_from(latency.as_nanos())?)?;
        }
        if histogram.is_empty() { Err("no latency was measured".into()) } else { Ok(Self(histogram)) }
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn percentile_ms(&self, percentile: f64) -> f64 {
        Duration::from_nanos(self.0.value_at_percentile(percentile)).as_secs_f64() * 1e3
    }
}
