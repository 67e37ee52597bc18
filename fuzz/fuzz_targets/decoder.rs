#![no_main]

#[path = "../targets/decoder.rs"]
mod decoder;

libfuzzer_sys::fuzz_target!(|input: &[u8]| decoder::decoder(input));
