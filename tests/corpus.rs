//! The inputs that the fuzzers keep, sent through what is fuzzed. `make fuzz` finds new ones.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "../fuzz/targets/batch.rs"]
mod batch;
#[path = "../fuzz/targets/decoder.rs"]
mod decoder;
#[path = "../fuzz/targets/grammar.rs"]
mod grammar;
#[path = "../fuzz/targets/lock.rs"]
mod lock;
#[path = "../fuzz/targets/times.rs"]
mod times;

use std::fs;

use quotelock_testkit::workspace;

/// Sends each input of a corpus through its target. What differs panics there.
fn replay(name: &str, least: usize, target: fn(&[u8])) {
    let corpus = workspace().join("fuzz/corpus").join(name);
    let inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(inputs.len() >= least, "{name}: {} inputs", inputs.len());
    for input in inputs {
        let bytes = fs::read(&input).unwrap();
        println!("{}", input.display());
        target(&bytes);
    }
}

#[test]
fn batches_are_read_as_a_plainer_reader_does() {
    replay("batch", 150, batch::batch);
}

#[test]
fn decoder_reads_as_a_plainer_reader_does() {
    replay("decoder", 100, decoder::decoder);
}

#[test]
fn grammar_reads_as_a_plainer_reader_does() {
    replay("grammar", 100, grammar::grammar);
}

#[test]
fn locks_are_read_as_a_plainer_reader_does() {
    replay("lock", 100, lock::lock);
}

#[test]
fn times_are_read_as_a_plainer_reader_does() {
    replay("times", 100, times::times);
}
