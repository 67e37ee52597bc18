//! What a module keeps between calls.

use std::sync::{Mutex, OnceLock, TryLockError};

/// A value for whoever holds the server's lock: its main thread, or a thread on which another module runs a
/// command. So only one thread is here at a time, and nobody waits.
#[derive(Debug)]
pub struct GilGuarded<T> {
    make: fn() -> T,
    value: OnceLock<Mutex<T>>,
}

impl<T> GilGuarded<T> {
    /// The value that `make` makes when it is first used.
    pub const fn new(make: fn() -> T) -> Self {
        Self { make, value: OnceLock::new() }
    }

    /// Works on the value. `work` must not call the server for anything that could come back here.
    ///
    /// # Panics
    /// If it is already being worked on.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        match self.value.get_or_init(|| Mutex::new((self.make)())).try_lock() {
            Ok(mut value) => work(&mut value),
            // A panic in the middle of `work` left it as it was then.
            Err(TryLockError::Poisoned(value)) => work(&mut value.into_inner()),
            Err(TryLockError::WouldBlock) => in_use(),
        }
    }
}

#[expect(clippy::panic, reason = "a bug, which the guard around each call stops")]
#[cold]
fn in_use() -> ! {
    panic!("what is kept between calls is used twice at a time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_there_for_every_thread_and_after_a_panic() {
        static COUNT: GilGuarded<u32> = GilGuarded::new(|| 5);
        COUNT.with(|count| *count += 1);
        std::thread::spawn(|| COUNT.with(|count| *count += 1)).join().unwrap();
        let twice = crate::guard::guard(|| COUNT.with(|_| COUNT.with(|count| *count)));
        assert!(twice.unwrap_err().contains("used twice at a time"));
        assert_eq!(COUNT.with(|count| *count), 7);
    }
}
