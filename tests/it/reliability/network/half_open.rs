//! A call or its answer is lost without a word, and the client sends it again.

use std::time::{Duration, Instant};

use redis::Connection;

use super::super::report;
use super::machines::Network;
use crate::harness::*;

const SERVER: usize = 0;
const CLIENT: usize = 1;

const CALL_TIMEOUT: Duration = Duration::from_millis(300);
const ACQUIRE: &str = "QUOTELOCK.ACQUIRE user 3,7 *";
const CLAIM: &str = "VEHPRICE.CLAIM prices PX 60000 TOKEN 0123456789abcdef0123456789abcdef JSON IDS 1 2";
const CLAIMED: &str =
    r#"{"token":"0123456789abcdef0123456789abcdef","rows":[null,null],"claimed":["1","2"],"pending":[]}"#;
const OTHERS_CLAIM: &str = "VEHPRICE.CLAIM prices PX 60000 JSON IDS 1 2";
const PENDING: &str = r#"{"token":null,"rows":[null,null],"claimed":[],"pending":["1","2"]}"#;

/// What is lost on its way from one to the other.
const LOST: [(&str, usize, usize); 2] = [("the call", CLIENT, SERVER), ("the answer", SERVER, CLIENT)];

/// The call fails by its time-out, soon: nothing is closed.
#[track_caller]
fn times_out(con: &mut Connection, call: &str, what: &str) {
    let sent = Instant::now();
    let mut words = call.split(' ');
    let error = redis::cmd(words.next().unwrap()).arg(words.collect::<Vec<_>>()).exec(con).unwrap_err();
    assert!(error.is_timeout() && sent.elapsed() >= CALL_TIMEOUT, "{what}: {call}: {error}");
}

fn calls(server: &Server, command: &str) -> u64 {
    let told = info(&mut server.connection(), "commandstats");
    let of = |stats: &String| stats.strip_prefix("calls=")?.split(',').next()?.parse().ok();
    told.get(&format!("cmdstat_{command}")).and_then(of).unwrap_or(0)
}

fn send_again(server: &Server, network: &Network, (what, from, to): (&str, usize, usize)) {
    let mut before = [(); 2].map(|()| {
        let con = server.connection();
        con.set_read_timeout(Some(CALL_TIMEOUT)).unwrap();
        con
    });
    let [acquire, claim] = &mut before;
    network.switch.cut(&[from], &[to]);
    times_out(acquire, ACQUIRE, what);
    times_out(claim, CLAIM, what);

    network.switch.heal();
    let pod = &mut server.connection();
    let lock = text(pod, &format!("{ACQUIRE} JSON"));
    assert_eq!(text(pod, CLAIM), CLAIMED, "{what}");

    // A client that has given up closes its connections; what it sent still comes, also after what it sent since.
    drop(before);
    for (command, sent) in [("quotelock.acquire", 2), ("vehprice.claim", 2)] {
        eventually(TIMEOUT, || (calls(server, command) == sent).then_some(()));
    }
    assert_eq!(text(pod, &format!("{ACQUIRE} JSON")), lock.replace("Created", "Held"), "{what}");
    assert_eq!(server.info::<u64>("quotelock", "quotelock_locks_created").unwrap(), 1, "{what}");
    assert_eq!(text(pod, OTHERS_CLAIM), PENDING, "{what}");
}

#[apply(one_server)]
fn half_open_a_call_that_is_sent_again_is_answered_the_same(#[case] kind: Kind) {
    let what = "network, half-open connections";
    let ran = Network::test(2, what, |network| {
        for lost in LOST {
            let server = network.place(Server::builder(kind), SERVER).start();
            send_again(&server, network, lost);
        }
    });
    if ran.is_some() {
        report(kind, what, "a lost call and a lost answer: the same lock, the same claims");
    }
}
