//! The server's random numbers.

use crate::api::api;

/// Random numbers that no client can know.
pub fn random_numbers<const N: usize>() -> [u64; N] {
    let mut numbers = [[0; size_of::<u64>()]; N];
    // SAFETY: the server fills the bytes that are there.
    unsafe { api!(RedisModule_GetRandomBytes(numbers.as_mut_ptr().cast(), size_of_val(&numbers))) };
    numbers.map(u64::from_ne_bytes)
}
