//! Single-flight refill: claims, what ends them, what is written under their tokens, and clients that wait.

mod block;
mod bounds;
mod claim;
mod ends;
mod forms;
mod leaks;
mod lists;
mod pods;
mod rights;
mod slots;
mod tokens;

use std::net::Shutdown;
use std::time::{Duration, Instant};

use redis::RedisError;

use super::*;

/// What `VEHPRICE.CLAIM … JSON` answered.
pub(crate) struct Claim {
    pub(crate) token: String,
    pub(crate) claimed: String,
    pending: String,
}

/// Claims: what stands between `PX ms` and the end, as `IDS 1 2`. Lists of ids come as one text.
#[track_caller]
pub(crate) fn claim(con: &mut Connection, key: &str, rest: &str) -> Claim {
    let answer = json(con, &words(&["VEHPRICE.CLAIM", key, "PX", "600000", "JSON"], rest));
    let list = |name: &str| {
        let ids = answer[name].as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let token = answer["token"].as_str().unwrap_or("none").to_owned();
    Claim { token, claimed: list("claimed"), pending: list("pending") }
}

/// Which of these ids are claimed by someone, without claiming any: room is made for none.
#[track_caller]
pub(crate) fn pending(con: &mut Connection, key: &str, ids: &str) -> String {
    let most = text_of_config(con, "quotelock.max-claims");
    cmd(con, "CONFIG SET quotelock.max-claims 0");
    let found = claim(con, key, &format!("IDS {ids}"));
    cmd(con, &["CONFIG", "SET", "quotelock.max-claims", &most]);
    assert_eq!((found.token.as_str(), found.claimed.as_str()), ("none", ""));
    found.pending
}

fn text_of_config(con: &mut Connection, name: &str) -> String {
    pairs(&cmd(con, &["CONFIG", "GET", name]))[&format!("\"{name}\"")].trim_matches('"').to_owned()
}

/// A counter of `INFO quotelock`.
#[track_caller]
pub(crate) fn count(con: &mut Connection, name: &str) -> i64 {
    info(con, "quotelock")[&format!("quotelock_{name}")].parse().unwrap()
}

/// A token that a client has made for itself.
const OWN: &str = "0123456789abcdef0123456789abcdef";

/// A client that has sent a command and was not answered yet.
pub(crate) struct Asked {
    pub(crate) connection: RawConnection,
    /// As `CLIENT ID` told it.
    id: i64,
}

impl Asked {
    /// Sends a command that makes its client wait, and sees to it that it does.
    #[track_caller]
    fn waiting(server: &Server, con: &mut Connection, command: &str) -> Self {
        let before = count(con, "claims_waiting");
        let asked = Self::of(server, command);
        eventually(TIMEOUT, || (count(con, "claims_waiting") == before + 1).then_some(()));
        asked
    }

    /// Sends a command.
    pub(crate) fn of(server: &Server, command: &str) -> Self {
        let mut asked = Self { connection: RawConnection::connect(server.port()).unwrap(), id: 0 };
        asked.send("CLIENT ID");
        asked.id = asked.answer().parse().unwrap();
        asked.send(command);
        asked
    }

    /// The text it is answered, or the reply as `show` writes it; empty if it was hung up on.
    pub(crate) fn answer(&mut self) -> String {
        match self.connection.receive() {
            Ok(Value::BulkString(text)) => String::from_utf8(text).unwrap(),
            Ok(reply) => show(&reply),
            Err(error) if error.downcast_ref().is_some_and(RedisError::is_connection_dropped) => {
                String::new()
            }
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Sends a command.
    fn send(&mut self, command: &str) {
        let mut bytes = Vec::new();
        pack(&mut bytes, &command.words());
        self.connection.send(&bytes).unwrap();
    }

    /// Goes without a word.
    fn hang_up(&mut self) {
        self.connection.stream().shutdown(Shutdown::Both).unwrap();
    }

    /// Whether it was answered yet.
    pub(crate) fn is_answered(&mut self) -> bool {
        let stream = self.connection.stream();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0; 1]);
        stream.set_nonblocking(false).unwrap();
        peeked.is_ok()
    }
}
