//! What the module keeps for itself between calls.

use std::sync::{Mutex, OnceLock, TryLockError};

/// Something that belongs to who holds the server's lock. That is its main thread, or a thread on which another module runs a
/// command; so there is always one at most, and nobody waits.
#[derive(Debug)]
pub struct Shared<T> {
    make: fn() -> T,
    made: OnceLock<Mutex<T>>,
}

impl<T> Shared<T> {
    /// What `make` makes when it is first needed.
    pub const fn new(make: fn() -> T) -> Self {
        Self { make, made: OnceLock::new() }
    }

    /// Works on it. `work` calls nothing of the server that could come back here.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        match self.made.get_or_init(|| Mutex::new((self.make)())).try_lock() {
            Ok(mut it) => work(&mut it),
            // Where a panic was stopped it stays as it was then.
            Err(TryLockError::Poisoned(it)) => work(&mut it.into_inner()),
            Err(TryLockError::WouldBlock) => taken_twice(),
        }
    }
}

#[allow(clippy::panic, reason = "a fault that the guard around each call stops")]
#[cold]
fn taken_twice() -> ! {
    panic!("what is kept between calls was asked for while it was worked on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_there_for_every_thread_and_after_a_panic() {
        static COUNT: Shared<u32> = Shared::new(|| 5);
        COUNT.with(|count| *count += 1);
        std::thread::spawn(|| COUNT.with(|count| *count += 1)).join().unwrap();
        let twice = super::super::call::guard(|| COUNT.with(|_| COUNT.with(|count| *count)));
        assert!(twice.unwrap_err().contains("while it was worked on"));
        assert_eq!(COUNT.with(|count| *count), 7);
    }
}
