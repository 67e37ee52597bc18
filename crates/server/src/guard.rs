//! The guard between Rust and the server: a panic that reached C would end the server.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redis_module::raw;

use crate::log;

/// Runs `work`, and turns a panic into its message.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

/// Runs a callback that has nobody to answer: a panic is logged, and `None` returned.
pub(crate) fn guard_logged<T>(ctx: *mut raw::RedisModuleCtx, work: impl FnOnce() -> T) -> Option<T> {
    guard(work)
        .inspect_err(|message| {
            log::warning(ctx, &format!("a callback panicked: {}", log::escaped(message.as_bytes())));
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_message() {
        assert_eq!(guard(|| 7), Ok(7));
        assert_eq!(guard(|| -> () { panic!("broken") }), Err("broken".to_owned()));
        assert_eq!(guard(|| -> () { panic!("broken {}", 7) }), Err("broken 7".to_owned()));
        assert_eq!(guard(|| -> () { std::panic::panic_any(7) }), Err("no message".to_owned()));
    }
}
