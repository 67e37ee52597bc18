//! Slow and hostile clients: calls at and over `max-batch`, arguments of any length, commands sent by half,
//! many connections. Time and memory are bounded, and others are served meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use redis::Connection;

use super::{full, report};
use crate::harness::*;

fn used(con: &mut Connection) -> i64 {
    info(con, "memory")["used_memory"].parse().unwrap()
}

/// Runs `work` while another client reads its lock; its p99 and longest wait come along.
fn beside_another<T>(server: &Server, work: impl FnOnce() -> T) -> (T, String) {
    let other = &mut server.connection();
    cmd(other, "QUOTELOCK.SET other 3 * EX 100000");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut waits = Vec::new();
            while !done.load(Relaxed) {
                let begun = Instant::now();
                assert!(text(other, "QUOTELOCK.GET other JSON").contains("Effective"));
                waits.push(begun.elapsed());
                thread::sleep(Duration::from_micros(200));
            }
            waits.sort();
            waits
        });
        let over = Over(&done);
        let outcome = work();
        drop(over);
        let waits = reader.join().unwrap();
        let p99 = waits[(waits.len() - 1) * 99 / 100];
        (outcome, format!("another client's p99 {p99:.1?}, longest {:.1?}", waits[waits.len() - 1]))
    })
}

/// A command that was sent whole, and the first line it is answered.
fn answered(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    thread::scope(|scope| {
        // The server may hang up before it has read all.
        scope.spawn(move || drop(writer.write_all(bytes)));
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !line.ends_with(b"\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap().trim_end().to_owned()
    })
}

/// A call of each command that takes many ids, with this many.
fn calls_of(many: usize) -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let ids = || (0..many).map(|id| id.to_string());
    let with_ids = |line: &str| words(line).into_iter().chain(ids()).collect::<Vec<_>>();
    let rows = ids().flat_map(|id| [id.clone(), id]);
    vec![
        words("VEHPRICE.MSET t FIELDS 1 a ROWS").into_iter().chain(rows).collect(),
        with_ids("VEHPRICE.MGET t JSON IDS"),
        with_ids("VEHPRICE.MGET t"),
        with_ids("VEHPRICE.PTTL t"),
        with_ids("VEHPRICE.CLAIM absent PX 10 IDS"),
        with_ids("VEHPRICE.MGETHASH"),
        with_ids("VEHPRICE.DEL t"),
    ]
}

#[apply(each_server)]
fn calls_at_and_over_max_batch(#[case] kind: Kind) {
    let many = if full() { 100_000 } else { 2000 };
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, &format!("CONFIG SET quotelock.max-batch {many}"));
    let (longest, others) = beside_another(server, || {
        let mut longest = Duration::ZERO;
        for call in calls_of(many) {
            let begun = Instant::now();
            cmd(con, &call);
            longest = longest.max(begun.elapsed());
        }
        longest
    });
    let before = (text(con, "DEBUG DIGEST"), used(con));
    for call in calls_of(many + 1) {
        let refused = error(con, &call);
        assert!(refused.contains("are more than quotelock.max-batch"), "{}: {refused}", call[0]);
    }
    assert_eq!(text(con, "DEBUG DIGEST"), before.0);
    eventually(TIMEOUT, || (used(con) - before.1 < SLACK).then_some(()));
    report(kind, "calls at max-batch", &format!("{many} a call, longest call {longest:.1?}, {others}"));
}

/// What buffers that shrink in time and the servers' own bookkeeping may differ by.
const SLACK: i64 = 20_000_000;

#[test]
fn arguments_of_any_length() {
    let length: usize = if full() { 512 << 20 } else { 16 << 20 };
    let calls = [
        ("QUOTELOCK.SET user {} *", "-ERR invalid roleIds, expected at most"),
        ("QUOTELOCK.ACQUIRE user 3 {}", "-ERR invalid queryTime '"),
        ("QUOTELOCK.GET user AT {}", "-ERR invalid AT '"),
        ("QUOTELOCK.GET user {}", "-ERR syntax error, unknown option '"),
        ("VEHPRICE.SET t 1 FIELDS 1 a {}", "-ERR invalid value of field 'a'"),
        ("VEHPRICE.SET t 1 FIELDS 1 {} 1", "-ERR invalid field '"),
        ("VEHPRICE.MSET t FIELDS 1 a ROWS {} 1", "-ERR invalid id '"),
        ("VEHPRICE.MSET t PXAT {} FIELDS 1 a ROWS 1 1", "-ERR value is not an integer or out of range"),
        ("VEHPRICE.GET t {}", "-ERR invalid id '"),
        ("VEHPRICE.SCAN t {}", "-ERR invalid cursor"),
        ("VEHPRICE.CLAIM t PX {} IDS 1", "-ERR value is not an integer or out of range"),
        ("PRICEPLAN.TAG toggle {}", "-ERR invalid id '"),
    ];
    // One server is enough for so much memory.
    let server = Server::start(Kind::DEFAULT);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    let before = used(con);
    let long = vec![b'7'; length];
    let (longest, others) = beside_another(&server, || {
        let mut longest = Duration::ZERO;
        for (call, expected) in calls {
            let words: Vec<&[u8]> = call
                .split(' ')
                .map(|word| if word == "{}" { long.as_slice() } else { word.as_bytes() })
                .collect();
            let mut bytes = Vec::new();
            pack(&mut bytes, &words);
            let begun = Instant::now();
            let stream = &mut TcpStream::connect(("127.0.0.1", server.port())).unwrap();
            let line = answered(stream, &bytes);
            assert!(line.starts_with(expected), "{call}: {line}");
            assert!(line.len() < 400, "{call}: {line}");
            longest = longest.max(begun.elapsed());
        }
        longest
    });
    eventually(TIMEOUT, || (used(con) - before < SLACK).then_some(()));
    assert_eq!(int(con, "DBSIZE"), 2);
    let what = format!(
        "{} MiB in each of {} calls, longest call {longest:.1?}, {others}",
        length >> 20,
        calls.len()
    );
    report(Kind::DEFAULT, "arguments of any length", &what);
}

/// How many connections this process and a server may have.
fn connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: usize = files.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    files.saturating_sub(500).min(if full() { 10_000 } else { 400 })
}

#[test]
fn many_connections_with_half_a_command() {
    let many = connections();
    let server = Server::builder(Kind::DEFAULT).conf(format!("maxclients {}", many + 100)).start();
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET t EX 1000 FIELDS 1 a ROWS 1 x 2 y");
    let before = used(con);
    let mut command = Vec::new();
    pack(&mut command, &["VEHPRICE.MGET", "t", "JSON", "IDS", "1", "2"]);
    let (most, others) = beside_another(&server, || {
        let connect = |index: usize| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
            stream.write_all(&command[..1 + index % (command.len() - 1)]).unwrap();
            stream
        };
        let mut streams: Vec<_> = (0..many).map(connect).collect();
        eventually(TIMEOUT, || {
            (info(con, "clients")["connected_clients"].parse::<usize>().unwrap() > many).then_some(())
        });
        let most = used(con) - before;
        // The rest, byte for byte, in no haste.
        for (index, stream) in streams.iter_mut().enumerate() {
            let line = answered(stream, &command[1 + index % (command.len() - 1)..]);
            assert_eq!(line, "$21", "{index}");
        }
        most
    });
    assert!(most < many as i64 * 40_000 + SLACK, "{most} bytes for {many} clients");
    eventually(TIMEOUT, || (info(con, "clients")["connected_clients"] == "1").then_some(()));
    eventually(TIMEOUT, || (used(con) - before < SLACK).then_some(()));
    report(
        Kind::DEFAULT,
        "many connections",
        &format!("{many} clients with half a command took {} KB, {others}", most / 1024),
    );
}
