//! A primary is killed under load and its best replica takes over, again and again: what WAIT 1 was answered
//! for is there.

use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::Connection;

use super::book::{Book, SETTINGS};
use super::{full, report};
use crate::harness::*;

const WRITERS: u64 = 4;
const SERVERS: usize = 3;
/// This many writes must have been waited for; until then there are up to `MORE` failovers more.
const ENOUGH: usize = 50;
const MORE: u64 = 8;

/// Writes until the server is gone. After some of the writes it waits for a replica; how many of all were
/// waited for.
fn write_and_wait(con: &mut Connection, book: &mut Book, rng: &mut Rng) -> usize {
    let mut waited = 0;
    while book.write(con, rng).is_ok() {
        if rng.below(3) == 0 {
            match redis::cmd("WAIT").arg(&["1", "60000"]).query::<usize>(con) {
                Ok(0) => panic!("no replica within a minute"),
                Ok(_) => waited = book.writes.len(),
                Err(_) => break,
            }
        }
    }
    waited
}

fn offset(server: &Server) -> u64 {
    let state = info(&mut server.connection(), "replication");
    let of = if state["role"] == "master" { "master_repl_offset" } else { "slave_repl_offset" };
    state[of].parse().unwrap()
}

/// Of those left the one that was sent most, once both have run all that they were sent.
pub(super) fn best(servers: &[Server], killed: usize) -> usize {
    let left: Vec<usize> = (0..SERVERS).filter(|index| *index != killed).collect();
    for index in &left {
        let con = &mut servers[*index].connection();
        eventually(TIMEOUT, || (info(con, "replication")["master_link_status"] == "down").then_some(()));
    }
    left.into_iter().max_by_key(|index| offset(&servers[*index])).unwrap()
}

/// All that the servers hold, by their digests and by the writers' keys.
pub(super) fn all_alike(servers: &[&Server], books: &[Book], what: &str) {
    eventually(TIMEOUT, || servers.iter().all(|server| offset(server) == offset(servers[0])).then_some(()));
    let [first, others @ ..] = servers else { unreachable!() };
    let con = &mut first.connection();
    for other in others {
        let there = &mut other.connection();
        assert_eq!(text(there, "DEBUG DIGEST"), text(con, "DEBUG DIGEST"), "{what}");
        for book in books {
            assert_eq!(book.find(there), book.find(con), "{what}, writer {}", book.writer);
        }
    }
}

#[derive(Default)]
struct Tally {
    failovers: u64,
    acknowledged: usize,
    waited: usize,
    lost: usize,
    oldest_lost: Duration,
}

impl Tally {
    fn figures(&self) -> String {
        format!(
            "{} failovers, {} writes acknowledged, {} of them waited for, of these 0 lost; of the others {} lost, the oldest {} ms \
             before the kill",
            self.failovers,
            self.acknowledged,
            self.waited,
            self.lost,
            self.oldest_lost.as_millis()
        )
    }
}

fn fail_over_and_over(kind: Kind, failovers: u64) -> Tally {
    let mut tally = Tally::default();
    let builder = Server::builder(kind).conf("repl-diskless-sync-delay 0").module_args(SETTINGS);
    let mut servers = [0; SERVERS].map(|_| builder.clone().start());
    let mut books: Vec<Book> = (0..WRITERS).map(Book::of).collect();
    let rng = &mut Rng::seeded(11);
    let (mut primary, mut away) = (0, 2);
    follow(&servers[1], &servers[0]);
    // On a slow machine more of them, until enough was waited for to say something.
    for failover in 0..failovers + MORE {
        if failover >= failovers && tally.waited > ENOUGH {
            break;
        }
        let what = format!("failover {failover}");
        let (killed, waited) = std::thread::scope(|scope| {
            let writers: Vec<_> = books
                .iter_mut()
                .map(|book| {
                    let mut con = servers[primary].connection();
                    let mut rng = Rng::seeded(failover * WRITERS + book.writer);
                    scope.spawn(move || write_and_wait(&mut con, book, &mut rng))
                })
                .collect();
            // The third comes back under load.
            follow(&servers[away], &servers[primary]);
            sleep(Duration::from_micros(rng.below(200_000)));
            let killed = Instant::now();
            servers[primary].kill();
            (killed, writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>())
        });
        tally.failovers += 1;
        away = primary;
        primary = best(&servers, away);
        cmd(&mut servers[primary].connection(), "REPLICAOF NO ONE");
        let other = SERVERS - primary - away;
        for (book, waited) in books.iter_mut().zip(waited) {
            let found = book.find(&mut servers[primary].connection());
            let kept = book.kept_or_fail(&found, &what);
            assert!(kept >= waited, "{what}: of {waited} writes waited for {kept} are there");
            tally.waited += waited;
            tally.acknowledged += book.writes.iter().filter(|write| write.acknowledged.is_some()).count();
            for lost in book.go_on_from(kept).iter().filter_map(|write| write.acknowledged) {
                tally.lost += 1;
                tally.oldest_lost = tally.oldest_lost.max(killed.saturating_duration_since(lost));
            }
        }
        follow(&servers[other], &servers[primary]);
        all_alike(&[&servers[primary], &servers[other]], &books, &what);
        servers[away].restart();
    }
    follow(&servers[away], &servers[primary]);
    all_alike(&[&servers[primary], &servers[away]], &books, "in the end");
    assert!(servers.iter().all(|server| !server.log().contains("panic")));
    tally
}

#[apply(each_server)]
fn no_write_that_was_waited_for_is_lost(#[case] kind: Kind) {
    let tally = fail_over_and_over(kind, if full() { 25 } else { 2 });
    assert!(tally.waited > ENOUGH, "{}", tally.figures());
    report(kind, "failovers", &tally.figures());
}
