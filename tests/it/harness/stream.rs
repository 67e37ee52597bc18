//! The commands a server hands on to its replicas and to its AOF.

use std::sync::atomic::{AtomicU64, Ordering};

use quotelock_testkit::{RawConnection, Server, packed};
use redis::{Connection, Value, from_redis_value, parse_redis_value};

use super::call::int;

/// A command's words, in bytes.
pub(crate) type Sent = Vec<Vec<u8>>;

/// A command as one line of text.
pub(crate) fn line(command: &Sent) -> String {
    command.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
}

/// The next command on a connection.
#[track_caller]
pub(crate) fn next_command(from: &mut RawConnection) -> Sent {
    from_redis_value(from.receive().unwrap()).unwrap()
}

/// The commands in a file of the AOF, all of them whole.
#[track_caller]
pub(crate) fn commands_in(mut file: &[u8]) -> Vec<Sent> {
    let mut commands = Vec::new();
    while !file.is_empty() {
        let command: Sent = from_redis_value(parse_redis_value(file).unwrap()).unwrap();
        file = file.strip_prefix(packed(&command).as_slice()).unwrap();
        commands.push(command);
    }
    commands
}

/// A replica that loads nothing and runs nothing: it writes down what it is sent.
pub(crate) struct FakeReplica {
    primary: RawConnection,
}

impl FakeReplica {
    #[track_caller]
    pub(crate) fn of(server: &Server) -> Self {
        let mut primary = RawConnection::connect(server.port()).unwrap();
        primary.send(b"PSYNC ? -1\r\n").unwrap();
        let answer = next_line(&mut primary);
        assert!(answer.starts_with("+FULLRESYNC "), "{answer}");
        let length = next_line(&mut primary).strip_prefix('$').unwrap().parse().unwrap();
        let rdb = primary.receive_bytes(length).unwrap();
        assert!(rdb.starts_with(b"REDIS") || rdb.starts_with(b"VALKEY"), "{rdb:?}");
        Self { primary }
    }

    /// What it was sent since it was last asked.
    #[track_caller]
    pub(crate) fn sent(&mut self, primary: &mut Connection) -> Vec<Sent> {
        up_to_here(primary, || next_command(&mut self.primary))
    }

    /// The same as lines of text.
    #[track_caller]
    pub(crate) fn lines(&mut self, primary: &mut Connection) -> Vec<String> {
        self.sent(primary).iter().map(line).collect()
    }
}

/// A line that isn't empty: empty ones keep the link alive while the primary saves.
#[track_caller]
fn next_line(primary: &mut RawConnection) -> String {
    loop {
        let line = primary.receive_line().unwrap();
        if !line.is_empty() {
            return line;
        }
    }
}

/// What a server with a MONITOR on it was seen to run, up to the mark that `primary` sends.
#[track_caller]
pub(crate) fn monitored(monitor: &mut Connection, primary: &mut Connection) -> Vec<Sent> {
    up_to_here(primary, || match monitor.recv_response().unwrap() {
        Value::SimpleString(line) => unquoted(&line),
        other => panic!("no line of MONITOR: {other:?}"),
    })
}

/// The commands before a mark of our own: a PUBLISH, which is sent on and changes nothing.
#[track_caller]
fn up_to_here(primary: &mut Connection, mut next: impl FnMut() -> Sent) -> Vec<Sent> {
    static MARKS: AtomicU64 = AtomicU64::new(0);
    let mark = MARKS.fetch_add(1, Ordering::Relaxed).to_string();
    int(primary, &["PUBLISH", "mark", &mark]);
    let mut commands = Vec::new();
    loop {
        let command = next();
        match command[0].to_ascii_uppercase().as_slice() {
            b"PUBLISH" if command[2] == mark.as_bytes() => return commands,
            b"PUBLISH" | b"SELECT" | b"PING" | b"REPLCONF" => {}
            _ => commands.push(command),
        }
    }
}

/// `1700000000.000000 [0 127.0.0.1:6379] "SET" "k" "\"\xff"` as the words that were run.
fn unquoted(line: &str) -> Sent {
    let mut words = Vec::new();
    let mut rest = line.split_once("] ").unwrap().1.bytes();
    while rest.next() == Some(b'"') {
        let mut word = Vec::new();
        loop {
            match rest.next().unwrap() {
                b'"' => break,
                b'\\' => word.push(unescaped(&mut rest)),
                byte => word.push(byte),
            }
        }
        words.push(word);
        rest.next();
    }
    words
}

fn unescaped(rest: &mut impl Iterator<Item = u8>) -> u8 {
    match rest.next().unwrap() {
        b'x' => {
            let digits: String = rest.take(2).map(char::from).collect();
            u8::from_str_radix(&digits, 16).unwrap()
        }
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        byte => byte,
    }
}
