//! A client that only reads the bytes of a reply.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use redis::{Parser, Value, cmd};

use super::server::{Outcome, Server};

/// As much as is sent before replies are looked for.
const PART: usize = 64 * 1024;

pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    pub(crate) fn connect(server: &Server) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", server.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream, buffer: vec![0; 1 << 20] })
    }

    /// Sends commands and gives their replies, and how many bytes they had.
    pub(crate) fn ask(&mut self, request: &[u8], replies: usize) -> Outcome<(Vec<Value>, usize)> {
        self.stream.write_all(request)?;
        let mut counted = Counted { stream: &self.stream, bytes: 0 };
        let mut parser = Parser::new();
        let values: Result<_, _> = (0..replies).map(|_| parser.parse_value(&mut counted)).collect();
        Ok((values?, counted.bytes))
    }

    /// One command that must not be answered with an error.
    pub(crate) fn run(&mut self, request: &[u8]) -> Outcome<Value> {
        let (mut replies, _) = self.ask(request, 1)?;
        match replies.pop() {
            None => Err("there is no reply".into()),
            Some(Value::ServerError(error)) => Err(format!("{error:?}").into()),
            Some(reply) => Ok(reply),
        }
    }

    /// Whether the server has a command.
    pub(crate) fn knows(&mut self, command: &str) -> Outcome<bool> {
        let known = self.run(&cmd("COMMAND").arg("INFO").arg(command).get_packed_command())?;
        Ok(matches!(known, Value::Array(entries) if matches!(entries.as_slice(), [Value::Array(_)])))
    }

    /// Sends commands, reads replies of `length` bytes, and gives the time it took.
    pub(crate) fn exchange(&mut self, request: &[u8], length: usize) -> Outcome<Duration> {
        let (mut unsent, mut received) = (request, 0_usize);
        let start = Instant::now();
        if unsent.len() > PART {
            self.stream.set_nonblocking(true)?;
            while unsent.len() > PART {
                let (part, _) = unsent.split_at_checked(PART).unwrap_or((unsent, &[]));
                let sent = unless_busy(self.stream.write(part))?;
                unsent = unsent.get(sent..).unwrap_or_default();
                received = received.saturating_add(unless_busy(self.stream.read(&mut self.buffer))?);
            }
            self.stream.set_nonblocking(false)?;
        }
        self.stream.write_all(unsent)?;
        while received < length {
            match self.stream.read(&mut self.buffer)? {
                0 => return Err("the server closed the connection".into()),
                bytes => received = received.saturating_add(bytes),
            }
        }
        let time = start.elapsed();
        if received == length { Ok(time) } else { Err("the reply is longer than it was".into()) }
    }
}

/// A command as it is sent.
pub(crate) fn packed(words: &[&str]) -> Vec<u8> {
    let (name, arguments) = words.split_first().unwrap_or((&"", &[]));
    cmd(name).arg(arguments).get_packed_command()
}

fn unless_busy(moved: std::io::Result<usize>) -> std::io::Result<usize> {
    moved.or_else(|error| if error.kind() == ErrorKind::WouldBlock { Ok(0) } else { Err(error) })
}

struct Counted<'s> {
    stream: &'s TcpStream,
    bytes: usize,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.stream.read(buffer)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(bytes)
    }
}
