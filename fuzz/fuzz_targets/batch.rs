#![no_main]

#[path = "../targets/batch.rs"]
mod batch;

libfuzzer_sys::fuzz_target!(|input: &[u8]| batch::batch(input));
