#![no_main]

#[path = "../targets/lock.rs"]
mod lock;

libfuzzer_sys::fuzz_target!(|input: &[u8]| lock::lock(input));
