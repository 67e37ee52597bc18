//! A primary and those that follow it, real ones and a feigned one.

use std::net::TcpListener;

use quotelock_testkit::{Builder, Kind, RawConnection, Server, TIMEOUT, pack, packed};
use redis::Connection;

use super::call::{cmd, info, int};
use super::clock::eventually;
use super::stream::{line, next_command};

/// A server that a replica need not wait for.
pub(crate) fn primary(kind: Kind) -> Server {
    Server::builder(kind).conf("repl-diskless-sync-delay 0").start()
}

/// A server that is a replica from its start, in step.
#[track_caller]
pub(crate) fn replica_of(primary: &Server, replica: Builder) -> Server {
    let replica = replica.conf(format!("replicaof 127.0.0.1 {}", primary.port())).start();
    linked(&mut replica.connection());
    replica
}

/// Makes a replica of a server, and waits until it is in step.
#[track_caller]
pub(crate) fn follow(replica: &Server, primary: &Server) {
    let con = &mut replica.connection();
    cmd(con, &["REPLICAOF", primary.host(), &primary.port().to_string()]);
    linked(con);
}

/// Until the link to the primary is up.
#[track_caller]
pub(crate) fn linked(con: &mut Connection) {
    eventually(TIMEOUT, || (info(con, "replication")["master_link_status"] == "up").then_some(()));
}

/// Until `replicas` have run all that this client has written.
#[track_caller]
pub(crate) fn in_step(con: &mut Connection, replicas: i64) {
    assert_eq!(int(con, &format!("WAIT {replicas} 60000")), replicas);
}

/// A primary that keeps nothing and has the clock a test says it has: it sends a replica what it is told to.
pub(crate) struct FakePrimary {
    replica: RawConnection,
    sent: usize,
}

/// No key, and no checksum.
const EMPTY_RDB: &[u8] = b"REDIS0009\xff\0\0\0\0\0\0\0\0";

impl FakePrimary {
    /// Takes the server as its replica.
    #[track_caller]
    pub(crate) fn of(replica: &Server) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let con = &mut replica.connection();
        cmd(con, &["REPLICAOF", "127.0.0.1", &listener.local_addr().unwrap().port().to_string()]);
        let mut primary = Self::greeted(&listener);
        primary.announce(EMPTY_RDB.len());
        primary.write(EMPTY_RDB);
        linked(con);
        primary
    }

    /// Takes the replica that asks next, sends it so much of a full copy, and hangs up. Returns when the
    /// replica has, too.
    #[track_caller]
    pub(crate) fn cut_off(listener: &TcpListener, copy: &[u8], sent: usize) {
        let mut primary = Self::greeted(listener);
        primary.announce(copy.len());
        primary.write(&copy[..sent]);
        // Where what was sent was not read the connection is reset.
        let _gone = primary.replica.close();
    }

    /// Takes the replica that asks next for a full copy.
    #[track_caller]
    fn greeted(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        let mut primary = Self { replica: RawConnection::over(stream).unwrap(), sent: 0 };
        loop {
            let asked = line(&next_command(&mut primary.replica));
            if asked.starts_with("PSYNC") {
                return primary;
            }
            primary.write(if asked.starts_with("PING") { b"+PONG\r\n" } else { b"+OK\r\n" });
        }
    }

    fn announce(&mut self, length: usize) {
        self.write(format!("+FULLRESYNC {} 0\r\n${length}\r\n", "0".repeat(40)).as_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        self.replica.send(bytes).unwrap();
    }

    /// Sends a command and waits until the replica has run it.
    #[track_caller]
    pub(crate) fn send(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        self.send_words(&words);
    }

    fn send_words(&mut self, words: &[&str]) {
        let mut bytes = packed(words);
        let done = self.sent + bytes.len();
        pack(&mut bytes, &["REPLCONF", "GETACK", "*"]);
        self.sent += bytes.len();
        self.write(&bytes);
        loop {
            let answer = line(&next_command(&mut self.replica));
            let offset: usize =
                answer.strip_prefix("REPLCONF ACK ").unwrap().split(' ').next().unwrap().parse().unwrap();
            if offset >= done {
                return;
            }
        }
    }
}
