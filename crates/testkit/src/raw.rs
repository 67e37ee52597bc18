use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use redis::{Parser, RedisResult, Value, cmd};

use crate::{Result, TIMEOUT};

/// How much of a long request is sent before replies are looked for.
const CHUNK: usize = 64 * 1024;

/// How much is read at once where replies are only counted.
const BUFFER: usize = 1 << 20;

/// A connection that sends bytes as given and reads RESP as it comes. Reads time out after [`TIMEOUT`].
pub struct RawConnection {
    stream: TcpStream,
    /// It may have read beyond the last value, so it stays with its stream.
    parser: Parser,
    buffer: Vec<u8>,
}

impl RawConnection {
    /// To a port of this machine.
    pub fn connect(port: u16) -> Result<Self> {
        Self::over(TcpStream::connect(("127.0.0.1", port))?)
    }

    /// Over a connection that was made elsewhere.
    pub fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, parser: Parser::new(), buffer: vec![0; BUFFER] })
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next RESP value, an error reply too.
    pub fn receive(&mut self) -> Result<Value> {
        Ok(self.parser.parse_value(&self.stream)?)
    }

    /// The next line without its end. Only before the first [`receive`](Self::receive).
    pub fn receive_line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            line.extend(self.receive_bytes(1)?);
        }
        Ok(String::from_utf8(line)?.trim_end().to_owned())
    }

    /// Receives `count` bytes. Only before the first [`receive`](Self::receive).
    pub fn receive_bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Sends no more, and returns when the other side has closed the connection, too.
    pub fn close(self) -> Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        io::copy(&mut &self.stream, &mut io::sink())?;
        Ok(())
    }

    /// Sends a command and returns its reply; an error reply is an error.
    pub fn request(&mut self, command: &[u8]) -> Result<Value> {
        self.send(command)?;
        match self.receive()? {
            Value::ServerError(error) => {
                Err(format!("{} {}", error.code(), error.details().unwrap_or_default()).into())
            }
            reply => Ok(reply),
        }
    }

    /// Sends commands at once, and returns their `count` replies and how many bytes those took.
    pub fn pipeline(&mut self, commands: &[u8], count: usize) -> Result<(Vec<Value>, usize)> {
        self.send(commands)?;
        let mut counting = Counting { stream: &self.stream, bytes: 0 };
        let replies: RedisResult<_> = (0..count).map(|_| self.parser.parse_value(&mut counting)).collect();
        Ok((replies?, counting.bytes))
    }

    /// Sends commands, reads replies of `length` bytes without a look at them, and returns the time it took.
    pub fn time(&mut self, commands: &[u8], length: usize) -> Result<Duration> {
        let (mut unsent, mut received) = (commands, 0);
        let start = Instant::now();
        if unsent.len() > CHUNK {
            // The server stops to read while nobody reads its replies.
            self.stream.set_nonblocking(true)?;
            while unsent.len() > CHUNK {
                let sent = or_would_block(self.stream.write(&unsent[..CHUNK]))?;
                unsent = &unsent[sent..];
                received += or_would_block(self.stream.read(&mut self.buffer))?;
            }
            self.stream.set_nonblocking(false)?;
        }
        self.stream.write_all(unsent)?;
        while received < length {
            match self.stream.read(&mut self.buffer)? {
                0 => return Err("the server closed the connection".into()),
                bytes => received += bytes,
            }
        }
        let time = start.elapsed();
        if received == length { Ok(time) } else { Err("the reply is longer than it was".into()) }
    }

    /// Whether the server has this command.
    pub fn has_command(&mut self, name: &str) -> Result<bool> {
        let found = self.request(&cmd("COMMAND").arg("INFO").arg(name).get_packed_command())?;
        Ok(matches!(found, Value::Array(entries) if matches!(entries.as_slice(), [Value::Array(_)])))
    }
}

/// A command as it is sent.
pub fn packed<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(&mut bytes, words);
    bytes
}

/// Appends a command as it is sent.
pub fn pack<W: AsRef<[u8]>>(out: &mut Vec<u8>, words: &[W]) {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word.as_ref());
    }
    command.write_packed_command(out);
}

fn or_would_block(moved: io::Result<usize>) -> io::Result<usize> {
    moved.or_else(|error| if error.kind() == ErrorKind::WouldBlock { Ok(0) } else { Err(error) })
}

struct Counting<'s> {
    stream: &'s TcpStream,
    bytes: usize,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.stream.read(buffer)?;
        self.bytes += bytes;
        Ok(bytes)
    }
}
