//! A large table that is loaded: the server answers meanwhile, and it takes no longer than a hash of the same rows.

use std::thread;
use std::time::Duration;

use quotelock_testkit::{RawConnection, packed};
use redis::{Connection, Value};

use crate::harness::*;

const ROWS: usize = 400_000;
const BATCH: usize = 10_000;

/// Calls that write the rows, some at once.
fn calls(head: &str, row: impl Fn(usize) -> Vec<String>) -> Vec<Vec<String>> {
    let call = |first: usize| {
        let head = head.split(' ').map(str::to_owned);
        head.chain((first..first + BATCH).flat_map(&row)).collect()
    };
    (0..ROWS).step_by(BATCH).map(call).collect()
}

fn fill_table(con: &mut Connection) {
    let row = |id: usize| vec![format!("{id:06}"), (id % 90).to_string(), format!("pricing{id}")];
    let calls = calls("VEHPRICE.MSET t PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS", row);
    pipelined(con, &calls);
    assert_eq!(int(con, "VEHPRICE.LEN t"), i64::try_from(ROWS).unwrap());
}

fn fill_hash(con: &mut Connection) {
    let json = |id: usize| format!(r#"{{"styleId":"{}","pricingId":"pricing{id}"}}"#, id % 90);
    pipelined(con, &calls("HSET t", |id| vec![format!("{id:06}"), json(id)]));
    assert_eq!(int(con, "HLEN t"), i64::try_from(ROWS).unwrap());
}

/// The server looks at its clients after so many bytes of a file; here it is never so many, so only the module lets it.
#[apply(each_server)]
fn a_large_table_lets_the_server_answer(#[case] kind: Kind) {
    let server = Server::builder(kind)
        .conf(format!("loading-process-events-interval-bytes {}", i32::MAX))
        .conf("hz 500")
        .start();
    fill_table(&mut server.connection());
    let mut other = RawConnection::connect(server.port()).unwrap();
    let mut asked = 0;
    thread::scope(|scope| {
        let reload = scope.spawn(|| cmd(&mut server.connection(), "DEBUG RELOAD"));
        while !reload.is_finished() {
            other.send(&packed(&["PING"])).unwrap();
            asked += 1;
            thread::sleep(Duration::from_millis(1));
        }
    });
    let replies: Vec<Value> = (0..asked).map(|_| other.receive().unwrap()).collect();
    let refused = replies.iter().filter(|reply| show(reply).contains("LOADING")).count();
    assert!(refused > 0, "none of {asked} was answered while the table was loaded");
}

/// By the processor time of the main thread, the best of three.
#[apply(oldest_and_newest)]
fn a_large_table_loads_in_the_time_of_a_hash(#[case] kind: Kind) {
    let seconds = |fill: fn(&mut Connection)| {
        let server = Server::start(kind);
        let con = &mut server.connection();
        fill(con);
        let reload = || {
            let before = server.cpu_time().unwrap();
            cmd(con, "DEBUG RELOAD NOSAVE");
            server.cpu_time().unwrap() - before
        };
        cmd(&mut server.connection(), "SAVE");
        std::iter::repeat_with(reload).take(3).fold(f64::INFINITY, f64::min)
    };
    let (table, hash) = (seconds(fill_table), seconds(fill_hash));
    println!("{kind}: {table:.3} s beside {hash:.3} s");
    assert!(table < hash, "{kind}: {table:.3} s, a hash of the same rows {hash:.3} s");
}
