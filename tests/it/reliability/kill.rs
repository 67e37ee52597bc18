//! kill -9 at random instants under mixed load: what was acknowledged is there after the restart, and nothing
//! is there that was not sent.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::book::{Book, SETTINGS};
use super::load::write_until_gone;
use super::{full, report};
use crate::harness::*;

const WRITERS: u64 = 4;

/// How many writes must be acknowledged, or the kills show little.
const ENOUGH: usize = 100;

/// What the kills of one setting came to.
#[derive(Default)]
struct Tally {
    kills: u64,
    rewriting: u64,
    acknowledged: usize,
    under_way: usize,
    under_way_kept: usize,
    lost: usize,
    /// How long before the kill the oldest of the lost writes was acknowledged.
    oldest_lost: Duration,
    cut_off: usize,
}

impl Tally {
    fn figures(&self) -> String {
        format!(
            "{} kills, {} of them with an AOF rewrite begun before, {} writes acknowledged, {} lost (the oldest {} ms before the \
             kill); of {} under way {} were kept; {} times the server cut off an end of the file",
            self.kills,
            self.rewriting,
            self.acknowledged,
            self.lost,
            self.oldest_lost.as_millis(),
            self.under_way,
            self.under_way_kept,
            self.cut_off,
        )
    }

    /// Compares a writer's book with what the server holds, and goes on from there.
    fn compare(&mut self, book: &mut Book, server: &Server, killed: Instant, what: &str) {
        let found = book.find(&mut server.connection());
        let kept = book.kept_or_fail(&found, what);
        let acknowledged = book.writes.iter().filter(|write| write.acknowledged.is_some()).count();
        self.acknowledged += acknowledged;
        self.under_way += book.writes.len() - acknowledged;
        self.under_way_kept += kept.saturating_sub(acknowledged);
        for lost in book.go_on_from(kept).iter().filter_map(|write| write.acknowledged) {
            self.lost += 1;
            self.oldest_lost = self.oldest_lost.max(killed.saturating_duration_since(lost));
        }
    }
}

fn kill_and_compare(kind: Kind, fsync: &str, kills: u64) -> Tally {
    let mut tally = Tally::default();
    let server = Server::builder(kind).conf("appendonly yes").conf(format!("appendfsync {fsync}"));
    let mut server = server.module_args(SETTINGS).start();
    let mut books: Vec<Book> = (0..WRITERS).map(Book::of).collect();
    let rng = &mut Rng::seeded(9);
    // A busy machine, whose disk is slow, needs some more to have written enough.
    for kill in 0..kills + 20 {
        if kill >= kills && tally.acknowledged > ENOUGH {
            break;
        }
        let killed = std::thread::scope(|scope| {
            for book in &mut books {
                let mut con = server.connection();
                let mut rng = Rng::seeded(kill * WRITERS + book.writer);
                scope.spawn(move || write_until_gone(&mut con, book, &mut rng));
            }
            sleep(Duration::from_micros(rng.below(200_000)));
            if rng.below(4) == 0 {
                cmd(&mut server.connection(), "BGREWRITEAOF");
                tally.rewriting += 1;
                sleep(Duration::from_micros(rng.below(50_000)));
            }
            let killed = Instant::now();
            server.kill();
            killed
        });
        server.restart();
        tally.kills += 1;
        for book in &mut books {
            let what = format!("appendfsync {fsync}, kill {kill}");
            tally.compare(book, &server, killed, &what);
        }
    }
    let log = server.log();
    tally.cut_off += log.matches("Truncating the AOF").count();
    assert!(!log.contains("panic"), "{log}");
    tally
}

#[apply(each_server)]
fn with_appendfsync_always_nothing_acknowledged_is_lost(#[case] kind: Kind) {
    let tally = kill_and_compare(kind, "always", if full() { 125 } else { 4 });
    assert!(tally.lost == 0 && tally.acknowledged > ENOUGH, "{}", tally.figures());
    report(kind, "kill, appendfsync always", &tally.figures());
}

/// What is lost is the end of what was written, and never a write from amid.
#[apply(each_server)]
fn with_appendfsync_everysec_the_start_is_clean(#[case] kind: Kind) {
    let tally = kill_and_compare(kind, "everysec", if full() { 50 } else { 3 });
    assert!(tally.acknowledged > ENOUGH, "{}", tally.figures());
    report(kind, "kill, appendfsync everysec", &tally.figures());
}
