//! Random commands, each answer compared with a model's.

use std::time::Instant;

use redis::Connection;

use super::model::{MODULE_ARGS, Model};
use super::{full, report, seed_of};
use crate::harness::*;

/// Commands sent at once.
const AT_ONCE: usize = 500;

/// Runs this many, and compares each answer, and now and then all rows and expiries.
#[track_caller]
fn play(con: &mut Connection, seed: u64, commands: usize) {
    let (mut model, rng) = (Model::default(), &mut Rng::seeded(seed));
    for batch in 0..commands / AT_ONCE {
        let steps: Vec<_> = (0..AT_ONCE).map(|_| model.step(rng)).collect();
        let mut bytes = Vec::new();
        steps.iter().for_each(|(command, _)| pack(&mut bytes, command));
        let replies = pipelined_bytes(con, &bytes, steps.len());
        for (index, ((command, expected), reply)) in steps.iter().zip(&replies).enumerate() {
            assert_eq!(show(reply), *expected, "seed {seed}, batch {batch}, {index}: {command:?}");
        }
        if batch % 10 == 9 {
            for (key, rows) in model.tables() {
                assert_eq!(live_rows(con, &key), rows, "seed {seed}, batch {batch}, {key}");
            }
        }
    }
    cmd(con, "FLUSHALL");
}

#[apply(each_server)]
fn random_commands(#[case] kind: Kind) {
    let commands = if full() { 2_500_000 } else { 12_500 };
    let begun = Instant::now();
    let server = Server::builder(kind).module_args(MODULE_ARGS).start();
    play(&mut server.connection(), seed_of(kind), commands);
    report(kind, "random commands against a model", &format!("{commands}, in {:.0?}", begun.elapsed()));
}

/// On this machine's own server, which has its allocator as a library: no byte that is not there is read or
/// written, and none is forgotten. (What "may be" lost are the server's own strings, to whose midst it
/// points.)
#[test]
fn random_commands_under_valgrind() {
    let commands = if full() { 500_000 } else { 1500 };
    let begun = Instant::now();
    let mut server = Server::builder(Kind::DEFAULT).module_args(MODULE_ARGS).under(&VALGRIND).start();
    play(&mut server.connection(), 4, commands);
    server.stop();
    clean_under_valgrind(&server);
    report(
        Kind::DEFAULT,
        "random commands under valgrind",
        &format!("{commands}, in {:.0?}", begun.elapsed()),
    );
}
