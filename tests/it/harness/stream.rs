//! The commands a server hands on to its replicas and to its AOF.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{Connection, Value};

use super::call::int;
use super::server::Server;

/// A command's words, in bytes.
pub(crate) type Sent = Vec<Vec<u8>>;

/// A command as one line of text.
pub(crate) fn line(command: &Sent) -> String {
    command.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
}

/// The next command of a stream or a file, `None` at its end.
pub(crate) fn next_command(from: &mut impl BufRead) -> Option<Sent> {
    let words = number(from, '*')?;
    Some((0..words).map(|_| word(from)).collect())
}

fn word(from: &mut impl BufRead) -> Vec<u8> {
    let mut bytes = vec![0; number(from, '$').unwrap() + 2];
    from.read_exact(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"\r\n"), "{bytes:?}");
    bytes.truncate(bytes.len() - 2);
    bytes
}

fn number(from: &mut impl BufRead, mark: char) -> Option<usize> {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    if line.is_empty() {
        return None;
    }
    let digits = line.strip_prefix(mark).unwrap_or_else(|| panic!("no '{mark}' but {line:?}"));
    Some(digits.trim_end().parse().unwrap())
}

/// A replica that loads nothing and runs nothing: it writes down what it is sent.
pub(crate) struct FakeReplica {
    stream: BufReader<TcpStream>,
}

impl FakeReplica {
    pub(crate) fn of(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(b"PSYNC ? -1\r\n").unwrap();
        let answer = said(&mut stream);
        assert!(answer.starts_with("+FULLRESYNC "), "{answer}");
        let rdb: usize = said(&mut stream).strip_prefix('$').unwrap().parse().unwrap();
        let mut bytes = vec![0; rdb];
        stream.read_exact(&mut bytes).unwrap();
        assert!(bytes.starts_with(b"REDIS") || bytes.starts_with(b"VALKEY"), "{bytes:?}");
        Self { stream }
    }

    /// What it was sent since it was last asked.
    #[track_caller]
    pub(crate) fn sent(&mut self, primary: &mut Connection) -> Vec<Sent> {
        up_to_here(primary, || next_command(&mut self.stream).expect("the primary hung up"))
    }

    /// The same as lines of text.
    #[track_caller]
    pub(crate) fn lines(&mut self, primary: &mut Connection) -> Vec<String> {
        self.sent(primary).iter().map(line).collect()
    }
}

/// A line that isn't empty: empty ones keep the link alive while the primary saves.
fn said(stream: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the primary hung up");
        if !line.trim_end().is_empty() {
            return line.trim_end().to_owned();
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
