//! Clients that write to a primary, until it refuses or is gone, and what the next one has of that.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::scope;
use std::time::{Duration, Instant};

use redis::{Connection, RedisResult};

use super::super::book::{Book, Write};
use crate::harness::*;

/// The books of the writers, and how many of each one's writes a replica had for certain: each other writer
/// waits for one now and then. A call is given up after `call_timeout`.
pub(super) fn write_during(
    server: &Server,
    writers: &[u64],
    call_timeout: Duration,
    disaster: impl FnOnce(),
) -> Vec<(Book, usize)> {
    let stop = &AtomicBool::new(false);
    scope(|scope| {
        let writing: Vec<_> = (0..)
            .zip(writers)
            .map(|(number, writer)| {
                let (mut con, waits) = (server.connection(), number % 2 == 0);
                con.set_read_timeout(Some(call_timeout)).unwrap();
                scope.spawn(move || write_until(stop, &mut con, Book::of(*writer), waits))
            })
            .collect();
        disaster();
        stop.store(true, Relaxed);
        writing.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

fn write_until(stop: &AtomicBool, con: &mut Connection, mut book: Book, waits: bool) -> (Book, usize) {
    let (mut waited, rng) = (0, &mut Rng::seeded(book.writer));
    while !stop.load(Relaxed) && book.write(con, rng).is_ok() {
        if waits && rng.below(3) == 0 {
            let replicas: RedisResult<u64> = redis::cmd("WAIT").arg(&["1", "500"]).query(con);
            if replicas.is_ok_and(|replicas| replicas > 0) {
                waited = book.writes.len();
            }
        }
    }
    (book, waited)
}

/// What became of the writes.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) rounds: usize,
    pub(super) acknowledged: usize,
    pub(super) waited: usize,
    /// How many of those acknowledged are not there.
    pub(super) lost: usize,
    /// How long after the disaster the last one was acknowledged.
    pub(super) last: Duration,
    /// Until another primary was there, at the soonest.
    pub(super) replaced: Option<Duration>,
}

impl Tally {
    /// Compares the books with what a server holds, and goes on from there. What is there is what a number of
    /// the first writes left, among them all that were waited for.
    pub(super) fn compare(
        &mut self,
        books: Vec<(Book, usize)>,
        server: &Server,
        struck: Instant,
        what: &str,
    ) -> Vec<Book> {
        self.rounds += 1;
        let compare = |(mut book, waited): (Book, usize)| {
            let kept = book.kept_or_fail(&book.find(&mut server.connection()), what);
            assert!(kept >= waited, "{what}: of {waited} writes waited for {kept} are there");
            let acknowledged = |write: &Write| write.acknowledged;
            let at: Vec<Instant> = book.writes.iter().filter_map(acknowledged).collect();
            self.acknowledged += at.len();
            self.waited += waited;
            let last = at.last().map(|last| last.saturating_duration_since(struck));
            self.last = self.last.max(last.unwrap_or_default());
            self.lost += book.go_on_from(kept).iter().filter_map(acknowledged).count();
            book
        };
        books.into_iter().map(compare).collect()
    }

    pub(super) fn is_replaced(&mut self, after: Duration) {
        self.replaced = Some(self.replaced.map_or(after, |soonest| soonest.min(after)));
    }

    /// Whether the last write was acknowledged before another primary was there.
    pub(super) fn ended_before_it_was_replaced(&self) -> bool {
        self.replaced.is_some_and(|replaced| self.last < replaced)
    }

    pub(super) fn figures(&self) -> String {
        let replaced = self
            .replaced
            .map_or(String::new(), |after| format!(", another primary after {} ms", after.as_millis()));
        format!(
            "{} times{replaced}; {} writes acknowledged, the last one {} ms after; {} waited for, of these 0 lost; of the others \
             {} lost",
            self.rounds,
            self.acknowledged,
            self.last.as_millis(),
            self.waited,
            self.lost
        )
    }
}
