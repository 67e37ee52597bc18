//! What servers do to keys and clients by commands of their own, under load: no crash, no difference, and
//! memory returns.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use redis::{Connection, Value};

use super::{full, report};
use crate::harness::*;

/// How often the server's own commands are run.
fn rounds() -> u64 {
    if full() { 150 } else { 4 }
}

/// One of the server's own commands on keys of both kinds; what it refuses is fine.
fn own_command(rng: &mut Rng) -> String {
    let key = |rng: &mut Rng| match rng.below(2) {
        0 => format!("t:{}", rng.below(3)),
        _ => format!("user:{}", rng.below(40)),
    };
    match rng.below(12) {
        0 => "FLUSHALL ASYNC".to_owned(),
        1 => "FLUSHDB ASYNC".to_owned(),
        2 => "SWAPDB 0 1".to_owned(),
        3 => format!("MOVE {} 1", key(rng)),
        4 => format!("COPY {} {} REPLACE", key(rng), key(rng)),
        5 => format!("COPY {} copy DB 1 REPLACE", key(rng)),
        6 => format!("RENAME {} {}", key(rng), key(rng)),
        7 => format!("UNLINK {}", key(rng)),
        8 => "BGSAVE SCHEDULE".to_owned(),
        9 => "BGREWRITEAOF".to_owned(),
        10 => "CLIENT KILL TYPE normal SKIPME yes".to_owned(),
        _ => "CLIENT PAUSE 20 WRITE".to_owned(),
    }
}

/// Sends random commands until it is told to stop; one whose connection was cut makes another.
fn load(server: &Server, seed: u64, stop: &AtomicBool, sent: &AtomicU64) {
    let rng = &mut Rng::seeded(seed);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    while !stop.load(Relaxed) {
        let mut bytes = Vec::new();
        for _ in 0..20 {
            let command = if rng.below(2) == 0 { table_command(rng, "t") } else { lock_command(rng) };
            pack(&mut bytes, &command);
        }
        // Cut now and then in the midst of a command.
        let end = if rng.below(20) == 0 { bytes.len() - rng.below(30) as usize } else { bytes.len() };
        let cut = end < bytes.len() || stream.write_all(&bytes[..end]).is_err();
        if cut || !drained(&mut stream) {
            let _gone = stream.shutdown(Shutdown::Both);
            stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        }
        sent.fetch_add(20, Relaxed);
        // Some thousand commands a second, and not all that the machine can.
        rest(2);
    }
}

/// Reads what there is to read; false once the server has hung up.
fn drained(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut room = [0; 65536];
    let open = loop {
        match stream.read(&mut room) {
            Ok(0) => break false,
            Ok(_) => {}
            Err(error) => break error.kind() == ErrorKind::WouldBlock,
        }
    };
    stream.set_nonblocking(false).unwrap();
    open
}

fn used(con: &mut Connection) -> i64 {
    info(con, "memory")["used_memory"].parse().unwrap()
}

/// What buffers and the servers' own bookkeeping may differ by.
const SLACK: i64 = 3_000_000;

/// Runs the server's own commands beside a load; with `reload` each round ends with a DEBUG RELOAD. Then all
/// is still.
#[track_caller]
fn storm(server: &Server, con: &mut Connection, reload: bool, sent: &AtomicU64) -> u64 {
    let stop = AtomicBool::new(false);
    let mut own = 0;
    thread::scope(|scope| {
        for seed in 0..3 {
            let stop = &stop;
            scope.spawn(move || load(server, seed, stop, sent));
        }
        let _over = Over(&stop);
        let rng = &mut Rng::seeded(7);
        for _ in 0..rounds() {
            for _ in 0..10 {
                let _refused = try_cmd(con, &own_command(rng));
                own += 1;
            }
            let refused = error(con, "MODULE UNLOAD quotelock");
            assert!(refused.contains("module-side data types"), "{refused}");
            if reload {
                // Refused while a child saves.
                let _refused = try_cmd(con, "DEBUG RELOAD");
            }
        }
    });
    cmd(con, "CLIENT UNPAUSE");
    cmd(con, "CLIENT KILL TYPE normal SKIPME yes");
    // What expires soon does so now.
    rest(SHORT_MS as u64 + 2500);
    own
}

#[apply(each_server)]
fn under_load(#[case] kind: Kind) {
    let mut own = 0;
    let sent = AtomicU64::new(0);
    let mut primary = Server::builder(kind)
        .module_args(LASTING)
        .conf("repl-diskless-sync-delay 0")
        .conf("client-output-buffer-limit replica 0 0 0")
        .conf("repl-backlog-size 1mb")
        .conf("appendonly yes")
        .start();
    let con = &mut primary.connection();
    let replica = replica_of(&primary, Server::builder(kind));
    let before = used(con);
    own += storm(&primary, con, false, &sent);
    linked(&mut replica.connection());
    in_step(con, 1);
    let digest = text(con, "DEBUG DIGEST");
    assert_eq!(text(&mut replica.connection(), "DEBUG DIGEST"), digest, "on the replica");
    assert!(!replica.log().contains("sending an error to its"), "{}", replica.log_tail());

    drop(replica);
    primary.restart();
    let con = &mut primary.connection();
    assert_eq!(text(con, "DEBUG DIGEST"), digest, "from the AOF");

    // DEBUG RELOAD drops keys that have expired without telling replicas or the AOF, and Redis 8.2 writes it to
    // the AOF as a command: it is for tests, without both.
    cmd(con, "CONFIG SET appendonly no");
    own += storm(&primary, con, true, &sent);
    let digest = text(con, "DEBUG DIGEST");
    // Refused while a child saves.
    eventually(TIMEOUT, || try_cmd(con, "DEBUG RELOAD").ok());
    assert_eq!(text(con, "DEBUG DIGEST"), digest, "after DEBUG RELOAD");
    cmd(con, "FLUSHALL SYNC");
    cmd(con, "SCRIPT FLUSH SYNC");
    eventually(TIMEOUT, || (used(con) - before < SLACK).then_some(()));
    assert_eq!(int(con, "DBSIZE"), 0);
    let sent = sent.into_inner();
    report(kind, "own commands under load", &format!("{own} own commands, beside {sent} random commands"));
}

#[apply(each_server)]
fn clients_that_ask_for_no_replies(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut commands = "CLIENT REPLY OFF\r\n".to_owned();
    for id in 0..1000 {
        commands.push_str(&format!(
            "VEHPRICE.SET t {id} FIELDS 1 a {id}\r\nQUOTELOCK.ACQUIRE user:{id} 3 * JSON\r\n"
        ));
        commands.push_str("VEHPRICE.GETALL t JSON\r\nVEHPRICE.MGET t\r\nQUOTELOCK.SET user:1 3 never\r\n");
    }
    commands.push_str("CLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nVEHPRICE.LEN t\r\nVEHPRICE.LEN t\r\n");
    stream.write_all(commands.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(std::str::from_utf8(&answer).unwrap(), "+OK\r\n:1000\r\n");
    assert_eq!(int(con, "DBSIZE"), 1001);
}

/// A client goes in the midst of its call: what it had not sent whole is not done, what it had is done whole.
#[apply(each_server)]
fn clients_that_go_in_mid_call(#[case] kind: Kind) {
    let calls = if full() { 2000 } else { 60 };
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(3);
    let mut done = 0;
    for _ in 0..calls {
        let mut command = vec!["VEHPRICE.MSET".to_owned(), "t".to_owned()];
        command.extend(["FIELDS", "1", "a", "ROWS"].map(str::to_owned));
        for id in 0..1000 {
            command.extend([id.to_string(), "v".repeat(20)]);
        }
        let mut bytes = Vec::new();
        pack(&mut bytes, &command);
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        // So that the server knows the client.
        stream.write_all(b"PING\r\n").unwrap();
        stream.read_exact(&mut [0; 7]).unwrap();
        let end = bytes.len().min(rng.below(2 * bytes.len() as u64) as usize);
        stream.write_all(&bytes[..end]).unwrap();
        // By hanging up, or by another's word.
        if rng.below(2) == 0 {
            drop(stream);
        } else {
            cmd(con, "CLIENT KILL TYPE normal SKIPME yes");
        }
        eventually(TIMEOUT, || (info(con, "clients")["connected_clients"] == "1").then_some(()));
        let rows = int(con, "VEHPRICE.LEN t");
        assert!(rows == 0 || rows == 1000, "{rows} rows");
        assert!(rows == 0 || end == bytes.len(), "{end} of {} bytes", bytes.len());
        done += i64::from(rows > 0);
        cmd(con, "DEL t");
    }
    assert!(done > 0 && done < calls, "{done}");
}

/// While writes are paused reads go on, and no row is seen beyond its expiry.
#[apply(each_server)]
fn clients_that_are_paused(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET t EX 1000 FIELDS 1 a ROWS 1 x");
    cmd(con, "VEHPRICE.SET t 2 PX 50 FIELDS 1 a y");
    cmd(con, "QUOTELOCK.SET user:1 3 *");
    cmd(con, "CLIENT PAUSE 60000 WRITE");
    let mut writer = server.connection();
    let waits = thread::spawn(move || int(&mut writer, "VEHPRICE.SET t 3 FIELDS 1 a z"));
    rest(60);
    assert_eq!(text(con, "VEHPRICE.MGET t JSON IDS 1 2 3"), r#"[{"a":"x"},null,null]"#);
    assert_eq!(int(con, "VEHPRICE.LEN t"), 1);
    assert!(matches!(cmd(con, "QUOTELOCK.GET user:1"), Value::Array(_)));
    assert!(!waits.is_finished());
    cmd(con, "CLIENT UNPAUSE");
    assert_eq!(waits.join().unwrap(), 1);
    assert_eq!(text(con, "VEHPRICE.MGET t JSON IDS 1 2 3"), r#"[{"a":"x"},null,{"a":"z"}]"#);
}
