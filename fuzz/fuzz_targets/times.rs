#![no_main]

#[path = "../targets/times.rs"]
mod times;

libfuzzer_sys::fuzz_target!(|input: &[u8]| times::times(input));
