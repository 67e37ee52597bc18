//! Moments as text, and waits that end.

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use quotelock_testkit::poll;

/// Milliseconds since 1970 by this machine's clock, which is the servers' too.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Milliseconds since 1970 as `Date.prototype.toISOString` writes them.
pub(crate) fn moment(unix_ms: i64) -> String {
    DateTime::from_timestamp_millis(unix_ms).unwrap().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Asks again and again until there is an answer; `None` after `limit` fails the test.
#[track_caller]
pub(crate) fn eventually<T>(limit: Duration, ask: impl FnMut() -> Option<T>) -> T {
    poll(limit, ask).unwrap_or_else(|| panic!("nothing came of it within {limit:?}"))
}

/// Lets time itself pass, for what is about time (an expiry, a clock that stands still); never to wait for an
/// event.
pub(crate) fn rest(ms: u64) {
    sleep(Duration::from_millis(ms));
}
