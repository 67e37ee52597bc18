use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

/// Tells threads that it is over when it is dropped: a test that fails then ends too, and does not wait for them for ever.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
