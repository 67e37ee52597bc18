//! Damaged dumps into RESTORE: whatever is done to one, the server lives on, and no other table comes of it.

use std::collections::HashSet;
use std::time::Instant;

use redis::{Connection, Value};

use super::dump_tables::{TABLES, fill};
use super::{full, report, seed_of};
use crate::harness::*;

/// RESTOREs sent at once.
const AT_ONCE: usize = 1000;

const KEY: &[u8] = b"scratch";

/// A table, and what DUMP gives of it.
struct Dumped {
    table: Table,
    dump: Vec<u8>,
}

impl Dumped {
    #[track_caller]
    fn of(con: &mut Connection, number: u64) -> Self {
        fill(con, number);
        let dump = match cmd(con, "DUMP t") {
            Value::BulkString(dump) => dump,
            other => panic!("table {number}: no dump but {}", show(&other)),
        };
        Self { table: table(con, "t"), dump }
    }

    fn body(&self) -> &[u8] {
        body(&self.dump)
    }

    /// Restores each body with a checksum that is right for it. Those that load are the table it was, in
    /// every row; the others are refused. Returns how many load.
    #[track_caller]
    fn restored(&self, con: &mut Connection, bodies: impl Iterator<Item = Vec<u8>>) -> usize {
        let mut loaded = 0;
        let mut bodies = bodies.peekable();
        while bodies.peek().is_some() {
            let batch: Vec<_> = bodies.by_ref().take(AT_ONCE).collect();
            let mut bytes = Vec::new();
            for body in &batch {
                self.pack_restore(&mut bytes, body);
            }
            let replies = pipelined_bytes(con, &bytes, batch.len());
            for (body, reply) in batch.iter().zip(replies) {
                match reply {
                    Value::Okay => {
                        loaded += 1;
                        let mut again = Vec::new();
                        self.pack_restore(&mut again, body);
                        assert_eq!(pipelined_bytes(con, &again, 1), [Value::Okay]);
                        assert_eq!(table(con, "scratch"), self.table, "{body:x?} was loaded");
                    }
                    refused => assert_eq!(show(&refused), "-ERR Bad data format", "{body:x?}"),
                }
            }
        }
        loaded
    }

    fn pack_restore(&self, out: &mut Vec<u8>, body: &[u8]) {
        pack(out, &[b"RESTORE", KEY, b"0", &signed(body, &self.dump), b"REPLACE"]);
    }
}

fn server(kind: Kind) -> Server {
    Server::builder(kind).module_args("price-ttl-ms 0").start()
}

#[apply(each_server)]
fn the_checksum_is_redis_own(#[case] kind: Kind) {
    let server = server(kind);
    let con = &mut server.connection();
    for number in 0..TABLES {
        let dumped = Dumped::of(con, number);
        assert_eq!(signed(dumped.body(), &dumped.dump), dumped.dump, "table {number}");
        assert_eq!(dumped.restored(con, [dumped.body().to_vec()].into_iter()), 1);
    }
}

/// Short enough to have every byte changed to every other.
const SHORT: usize = 1000;

/// Of changes to a byte: all 255, or one bit at a time where there are many bytes, and in the short form on
/// all but one server.
fn changes(kind: Kind, body: &[u8]) -> Vec<u8> {
    if body.len() < SHORT && (full() || kind == Kind::DEFAULT) {
        (1..=255).collect()
    } else {
        (0..8).map(|bit| 1 << bit).collect()
    }
}

/// Dumps damaged on each server.
fn dumps(kind: Kind) -> u64 {
    if full() {
        TABLES
    } else if kind == Kind::DEFAULT {
        26
    } else {
        8
    }
}

#[apply(each_server)]
fn cut_off_or_with_a_byte_changed(#[case] kind: Kind) {
    let begun = Instant::now();
    let (mut tried, mut loaded, mut damaged) = (0, 0, 0);
    let server = server(kind);
    let con = &mut server.connection();
    let mut short = HashSet::new();
    for number in 0..dumps(kind) {
        let dumped = Dumped::of(con, number);
        let body = dumped.body();
        let what = format!("table {number}");
        let cut = (0..body.len()).map(|length| body[..length].to_vec());
        // What follows is the server's version, and that can be just what was cut off: once in 256 dumps the
        // last byte of the checksum and the end's 0. Then nothing is missing.
        let whole = dumped.restored(con, cut);
        assert!(whole <= 1, "{what}: {whole} of those cut off");
        let changes = changes(kind, body);
        let changed = (0..body.len()).flat_map(|place| changes.iter().map(move |change| (place, *change)));
        loaded += dumped.restored(
            con,
            changed.map(|(place, change)| {
                let mut changed = body.to_vec();
                changed[place] ^= change;
                changed
            }),
        );
        tried += body.len() * (1 + changes.len());
        damaged += 1;
        if changes.len() == 255 {
            short.insert(body.to_vec());
        }
    }
    if full() || kind == Kind::DEFAULT {
        assert!(short.len() >= 20, "{} short dumps", short.len());
    }
    assert_eq!(text(con, "PING"), "PONG");
    let figures = format!(
        "{damaged} dumps, {tried} damaged ones, {loaded} made no difference, in {:?}",
        begun.elapsed()
    );
    report(kind, "dumps cut off or with a byte changed", &figures);
}

/// The type of the value and the number of our data type: without them the dump is none of ours.
const HEAD: usize = 10;

/// Bytes that lengths and marks are made of.
const TELLING: [u8; 12] = [0, 1, 2, 5, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xff];

/// One to four changes of any kind.
fn mutant(rng: &mut Rng, body: &[u8]) -> Vec<u8> {
    let mut mutant = body.to_vec();
    for _ in 0..=rng.below(4) {
        if mutant.len() <= HEAD + 1 {
            break;
        }
        let place = HEAD + rng.below((mutant.len() - HEAD) as u64) as usize;
        let end = mutant.len().min(place + 1 + rng.below(16) as usize);
        match rng.below(8) {
            0 => mutant[place] ^= 1 << rng.below(8),
            1 => mutant[place] = TELLING[rng.below(TELLING.len() as u64) as usize],
            2 => mutant[place] = rng.below(256) as u8,
            3 => mutant.insert(place, TELLING[rng.below(TELLING.len() as u64) as usize]),
            4 => drop(mutant.drain(place..end)),
            5 => {
                let piece = mutant[place..end].to_vec();
                let to = HEAD + rng.below((mutant.len() - HEAD) as u64) as usize;
                drop(mutant.splice(to..to, piece));
            }
            6 => mutant[place..end].reverse(),
            _ => mutant.truncate(place),
        }
    }
    mutant
}

#[apply(each_server)]
fn with_random_damage(#[case] kind: Kind) {
    let mutants: usize = if full() { 1_250_000 } else { 10_000 };
    let begun = Instant::now();
    let mut loaded = 0;
    let server = server(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(seed_of(kind));
    // Short ones, so that what is damaged is more often a length or a mark than a text.
    let all = (0..TABLES).map(|number| Dumped::of(con, number));
    let dumps: Vec<_> = all.filter(|dumped| dumped.body().len() < SHORT).collect();
    for dumped in &dumps {
        let body = dumped.body().to_vec();
        let mutants = (0..mutants.div_ceil(dumps.len())).map(|_| mutant(rng, &body));
        loaded += dumped.restored(con, mutants);
    }
    assert_eq!(text(con, "PING"), "PONG");
    let figures = format!("{mutants}, {loaded} made no difference, in {:?}", begun.elapsed());
    report(kind, "dumps with random damage", &figures);
}
