//! Arguments that are kept after their call has returned.

use std::ptr;

use redis_module::raw;

use crate::Call;
use crate::api::api;
use crate::call::bytes;

/// Arguments of a call, kept after it has returned. The strings are the server's own: while the client is
/// blocked it has them too, and they take no more memory.
#[derive(Debug)]
pub struct KeptArgs(Box<[*mut raw::RedisModuleString]>);

// SAFETY: the count of who keeps a string is not atomic, so it must be changed under the server's lock. All
// of a module runs under it, and keeps what outlives a call where only its holder comes, see `GilGuarded`.
unsafe impl Send for KeptArgs {}

impl Call<'_> {
    /// Keeps the arguments from `first` on.
    pub fn keep_args(&self, first: usize) -> KeptArgs {
        // SAFETY: the strings are the call's; without a context no call's end gives them back. What can't be
        // shared is copied.
        let keep = |string| unsafe { api!(RedisModule_HoldString(ptr::null_mut(), string)) };
        KeptArgs(self.strings_from(first).iter().map(|&string| keep(string)).collect())
    }
}

impl KeptArgs {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The argument at `index` of those kept; empty beyond the last.
    pub fn get(&self, index: usize) -> &[u8] {
        // SAFETY: the string is kept until this is dropped, and the server changes none that others keep.
        self.0.get(index).map_or(&[], |&string| unsafe { bytes(string) })
    }

    /// How many bytes it takes to keep them, the strings not counted.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

impl Drop for KeptArgs {
    fn drop(&mut self) {
        for &string in &self.0 {
            // SAFETY: it was kept by `keep_args`, without a context, and is given back only here.
            unsafe { api!(RedisModule_FreeString(ptr::null_mut(), string)) };
        }
    }
}
