#![no_main]

#[path = "../targets/grammar.rs"]
mod grammar;

libfuzzer_sys::fuzz_target!(|input: &[u8]| grammar::grammar(input));
