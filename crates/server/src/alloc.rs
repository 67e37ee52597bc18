//! The allocator: the server's, so that its `INFO` and `maxmemory` count what the module holds.

use std::alloc::{GlobalAlloc, Layout, System};

use redis_module::raw;

/// The server's allocator; outside a server (a test, a fuzzer) the system's.
///
/// The server's functions are there from `Init` on, and nothing is allocated before that (see `load`): memory
/// always goes back to the allocator it came from.
struct ServerAlloc;

#[global_allocator]
static ALLOCATOR: ServerAlloc = ServerAlloc;

/// What the server's allocator aligns to when the size is a multiple of it. Redis builds jemalloc with steps
/// of 8 bytes, so allocations of 24 or 40 bytes are aligned to 8 only. The system's allocator serves the few
/// that need more than 16.
pub(crate) const ALIGNED_TO: usize = 16;

/// The size to ask for so that the allocation is aligned.
const fn padded(size: usize, layout: Layout) -> usize {
    size.next_multiple_of(layout.align())
}

// SAFETY: both allocators keep the contract of `malloc`, `calloc`, `realloc` and `free`; which of them is
// asked depends on the alignment, which is the same for a piece of memory from birth to death, and on whether
// the server's is there.
unsafe impl GlobalAlloc for ServerAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe {
            match raw::RedisModule_Alloc {
                Some(alloc) if layout.align() <= ALIGNED_TO => alloc(padded(layout.size(), layout)).cast(),
                _ => System.alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe {
            match raw::RedisModule_Calloc {
                Some(calloc) if layout.align() <= ALIGNED_TO => {
                    calloc(1, padded(layout.size(), layout)).cast()
                }
                _ => System.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe {
            match raw::RedisModule_Realloc {
                Some(realloc) if layout.align() <= ALIGNED_TO => {
                    realloc(start.cast(), padded(size, layout)).cast()
                }
                _ => System.realloc(start, layout, size),
            }
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe {
            match raw::RedisModule_Free {
                Some(free) if layout.align() <= ALIGNED_TO => free(start.cast()),
                _ => System.dealloc(start, layout),
            }
        }
    }
}
