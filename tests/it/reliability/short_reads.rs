//! Saved files and full copies that end too soon: no crash, nothing of them is loaded, and what a replica had
//! it keeps.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use redis::Connection;

use super::{full, report};
use crate::harness::*;

/// Tables and locks, enough to be saved in about 64 KB for each of `times`.
fn fill(con: &mut Connection, times: u64) {
    for part in 0..times {
        for table in 0..6 {
            let rows: String = (0..150).map(|id| format!(" {id} {} pricing{id}", id % 90)).collect();
            cmd(
                con,
                &format!(
                    "VEHPRICE.MSET t{part}:{table} PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS{rows}"
                ),
            );
            for id in 0..20 {
                let long = "v".repeat(id * 10);
                let fields = format!("FIELDS 2 plan:{id} x{long} é 1");
                cmd(con, &format!("VEHPRICE.SET t{part}:{table} r{id} {fields}"));
            }
        }
        for user in 0..260 {
            cmd(
                con,
                &format!(r#"QUOTELOCK.SET user:{part}:{user} ["3","7"] 2024-09-12T02:50:53.000Z EX 1000000"#),
            );
        }
    }
}

/// What a replica held before.
fn fill_old(con: &mut Connection) {
    cmd(con, "VEHPRICE.MSET old FIELDS 1 a ROWS 1 x 2 y");
    cmd(con, "VEHPRICE.MSET t0:0 FIELDS 1 a ROWS 1 x 2 y");
    cmd(con, "QUOTELOCK.SET user:0:0 3 * EX 1000000");
}

fn builder(kind: Kind) -> Builder {
    Server::builder(kind)
        .module_args("price-ttl-ms 0")
        .conf("rdbcompression no")
        .conf("repl-diskless-sync-delay 0")
}

/// The saved file, and the digest of what is in it.
fn saved(kind: Kind) -> (Vec<u8>, String) {
    let server = builder(kind).start();
    let con = &mut server.connection();
    fill(con, 1);
    cmd(con, "SAVE");
    (fs::read(server.dir().join("dump.rdb")).unwrap(), text(con, "DEBUG DIGEST"))
}

/// From one cut to the next: every byte in the long form on one server.
fn step(kind: Kind) -> usize {
    match (full(), kind) {
        (true, Kind::DEFAULT) => 1,
        (true, _) => 16,
        (false, _) => 601,
    }
}

#[apply(each_server)]
fn a_full_copy_cut_off_at_every_byte(#[case] kind: Kind) {
    let begun = Instant::now();
    let mut tried = 0;
    let (copy, digest) = saved(kind);
    assert!((60_000..100_000).contains(&copy.len()), "{} bytes", copy.len());
    let replica = builder(kind).conf("repl-diskless-load swapdb").start();
    let con = &mut replica.connection();
    fill_old(con);
    let old = text(con, "DEBUG DIGEST");
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    cmd(con, &["REPLICAOF", "127.0.0.1", &listener.local_addr().unwrap().port().to_string()]);
    let step = step(kind);
    for sent in (0..copy.len()).step_by(step) {
        FakePrimary::cut_off(&listener, &copy, sent);
        assert_eq!(text(con, "DEBUG DIGEST"), old, "after {sent} of {} bytes", copy.len());
        tried += 1;
    }
    // All of it, and the replica has it.
    FakePrimary::cut_off(&listener, &copy, copy.len());
    eventually(TIMEOUT, || {
        (try_cmd(con, "DEBUG DIGEST").map(|found| show(&found)) == Ok(digest.clone())).then_some(())
    });
    let figures = format!("{tried} copies of some 64 KB, in {:?}", begun.elapsed());
    report(kind, "full copy cut off at every byte", &figures);
}

/// A server does not start on a file that ends too soon.
#[apply(each_server)]
fn a_file_cut_off(#[case] kind: Kind) {
    let cuts = if full() { 200 } else { 10 };
    let mut server = builder(kind).start();
    let con = &mut server.connection();
    fill(con, 1);
    cmd(con, "SAVE");
    server.kill();
    let file = server.dir().join("dump.rdb");
    let whole = fs::read(&file).unwrap();
    let rng = &mut Rng::seeded(1);
    for _ in 0..cuts {
        let length = 1 + rng.below(whole.len() as u64 - 1) as usize;
        fs::write(&file, &whole[..length]).unwrap();
        let log = server.try_restart().map(|()| length).unwrap_err().to_string();
        assert!(log.contains("Internal error in RDB reading"), "{length} bytes: {log}");
        assert!(!log.contains("crashed by signal"), "{length} bytes: {log}");
    }
    fs::write(&file, &whole).unwrap();
    server.restart();
    assert_eq!(int(&mut server.connection(), "DBSIZE"), 266);
    report(kind, "file cut off", &format!("{cuts} starts"));
}

/// Stands between a replica and its primary, and cuts all ways between them once this many bytes went through.
/// (A full sync may come on a way of its own.)
struct Bridge {
    port: u16,
    left: Arc<AtomicI64>,
}

impl Bridge {
    fn to(primary: &Server) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, primary) = (listener.local_addr().unwrap().port(), primary.port());
        let left = Arc::new(AtomicI64::new(0));
        let shared = Arc::clone(&left);
        // It ends with the process.
        thread::spawn(move || {
            for replica in listener.incoming() {
                // The primary has gone when the test ends.
                let (Ok(replica), Ok(primary)) = (replica, TcpStream::connect(("127.0.0.1", primary))) else {
                    return;
                };
                let left = Arc::clone(&shared);
                let (asking, asked) = (replica.try_clone().unwrap(), primary.try_clone().unwrap());
                thread::spawn(move || questions(asking, asked));
                thread::spawn(move || answers(primary, replica, &left));
            }
        });
        Self { port, left }
    }

    /// Lets this many bytes through, and returns once they were.
    #[track_caller]
    fn let_through(&self, bytes: i64) {
        self.left.store(bytes, SeqCst);
        eventually(TIMEOUT, || (self.left.load(SeqCst) == 0).then_some(()));
    }
}

fn questions(mut asking: TcpStream, mut asked: TcpStream) {
    let _gone = (std::io::copy(&mut asking, &mut asked), asked.shutdown(Shutdown::Both));
}

fn answers(mut primary: TcpStream, mut replica: TcpStream, left: &AtomicI64) {
    let mut room = [0; 16384];
    loop {
        let read = primary.read(&mut room).unwrap_or(0);
        let allowed = left.fetch_update(SeqCst, SeqCst, |left| Some((left - read as i64).max(0)));
        let allowed = read.min(allowed.unwrap() as usize);
        if replica.write_all(&room[..allowed]).is_err() || allowed < read || read == 0 {
            let _gone = (primary.shutdown(Shutdown::Both), replica.shutdown(Shutdown::Both));
            return;
        }
    }
}

/// The digest, once the server answers.
#[track_caller]
fn digest_of(con: &mut Connection) -> String {
    show(&eventually(TIMEOUT, || try_cmd(con, "DEBUG DIGEST").ok()))
}

#[apply(each_server)]
fn a_full_sync_cut_off_at_random(#[case] kind: Kind) {
    let begun = Instant::now();
    let cuts = if full() { 25 } else { 2 };
    let mut tried = 0;
    for load in ["swapdb", "disabled"] {
        let primary = builder(kind).start();
        let con = &mut primary.connection();
        fill(con, 8);
        cmd(con, "SAVE");
        let length = fs::metadata(primary.dir().join("dump.rdb")).unwrap().len();
        let replica = builder(kind).conf(format!("repl-diskless-load {load}")).start();
        let there = &mut replica.connection();
        fill_old(there);
        let old = digest_of(there);
        let bridge = Bridge::to(&primary);
        cmd(there, &["REPLICAOF", "127.0.0.1", &bridge.port.to_string()]);
        let rng = &mut Rng::seeded(2);
        for _ in 0..cuts {
            let bytes = rng.below(length);
            bridge.let_through(bytes as i64);
            assert_eq!(digest_of(there), old, "{load}, after {bytes} of {length} bytes");
            tried += 1;
        }
        bridge.left.store(i64::MAX, SeqCst);
        linked(there);
        assert_eq!(digest_of(there), digest_of(con), "{load}");
    }
    let figures = format!("{tried} syncs, to disk and to memory, in {:?}", begun.elapsed());
    report(kind, "full sync cut off at random", &figures);
}
