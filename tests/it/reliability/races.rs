//! 64 clients at one key at once, plain, in MULTI and in Lua: one of them writes, and all are given its lock.

use redis::{Connection, Value};

use super::{full, report};
use crate::harness::*;
use crate::races::{KEY, Told, one_lock_for_all, put, race_for, the_only_writer};

/// A third of the clients each way.
fn acquire(con: &mut Connection, client: usize) -> Told {
    let command = ["QUOTELOCK.ACQUIRE", KEY, &format!("role-{client}"), "*"];
    match client % 3 {
        0 => Told::from_array(client, cmd(con, &command)),
        1 => {
            let replies = pipelined(con, &[vec!["MULTI"], command.to_vec(), vec!["EXEC"]]);
            let Some(Value::Array(answers)) = replies.into_iter().next_back() else {
                panic!("EXEC gave no array")
            };
            Told::from_array(client, answers.into_iter().next().unwrap())
        }
        _ => {
            let script = "return redis.call('QUOTELOCK.ACQUIRE', KEYS[1], ARGV[1], ARGV[2], 'JSON')";
            Told::from_json(client, &text(con, &["EVAL", script, "1", KEY, command[2], "*"]))
        }
    }
}

#[apply(each_server)]
fn one_client_writes_whichever_way_it_asks(#[case] kind: Kind) {
    let rounds = if full() { 10_000 } else { 100 };
    let mut writers = [0; 3];
    let server = &Server::start(kind);
    race_for(
        rounds,
        server,
        |con, round| match round % 2 {
            0 => drop(cmd(con, &["DEL", KEY])),
            _ => put(con, &moment(now() - 310_000)),
        },
        acquire,
        |con, round, told| {
            one_lock_for_all(con, &told);
            let writer = the_only_writer(&told);
            assert_eq!(writer.outcome, if round % 2 == 0 { "Created" } else { "Refreshed" });
            assert!(told.iter().all(|one| one.state == "Effective"), "{told:?}");
            writers[writer.client % 3] += 1;
        },
    );
    assert!(writers.iter().all(|won| *won > 0), "{writers:?}");
    let [plain, multi, lua] = writers;
    let figures = format!(
        "64 clients, {rounds} rounds: one writer in each round and its lock given to all; \
         the writer came plain in {plain} rounds, in MULTI in {multi}, in Lua in {lua}"
    );
    report(kind, "races", &figures);
}
