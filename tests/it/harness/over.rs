use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

/// Stops threads when it is dropped, so that a test that fails ends too, and does not wait for them for ever.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
