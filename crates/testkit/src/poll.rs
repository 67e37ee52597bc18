use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything takes that is waited for, on a busy machine too.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; `None` after `limit`.
pub fn poll<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > limit {
            return None;
        }
        sleep(Duration::from_millis(5));
    }
}
