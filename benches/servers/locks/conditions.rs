//! Commands of newer servers that write or delete a string only while it is still what the client has read.

use quotelock_testkit::{RawConnection, Result, Server, packed};
use redis::Value;

/// A command, and what it is called.
type Named = (&'static str, Vec<String>);

/// Those that this server has.
pub(crate) struct Conditions {
    known: Vec<&'static str>,
    /// Of what was read, as a client would compute it.
    digest: String,
}

const BY_DIGEST: &str = "SET IFDEQ GET PX";

impl Conditions {
    /// For this text that was read.
    pub(crate) fn of(server: &Server, read: &str) -> Result<Self> {
        const ANY: &str = "0123456789abcdef";
        let mut connection = RawConnection::connect(server.port())?;
        let mut known = Vec::new();
        for (name, words) in renewals("none", "", ANY, ANY).into_iter().chain(deletions("none", ANY, ANY)) {
            match connection.pipeline(&packed(&words), 1)?.0.as_slice() {
                [Value::Nil | Value::Int(0)] => known.push(name),
                [Value::ServerError(error)] if is_unknown(error.details().unwrap_or_default()) => {}
                replies => return Err(format!("{name} replies {replies:?}").into()),
            }
        }
        let mut digest = String::new();
        if known.contains(&BY_DIGEST) {
            server.run::<()>(&["SET", "digested", read])?;
            digest = server.run(&["DIGEST", "digested"])?;
        }
        Ok(Self { known, digest })
    }

    /// Each puts another text in the place of what was read, and answers that.
    pub(crate) fn renewals(&self, key: &str, new: &str, read: &str) -> impl Iterator<Item = Named> {
        self.known(renewals(key, new, read, &self.digest))
    }

    /// Each deletes what was read.
    pub(crate) fn deletions(&self, key: &str, read: &str) -> impl Iterator<Item = Named> {
        self.known(deletions(key, read, &self.digest))
    }

    fn known<const N: usize>(&self, commands: [Named; N]) -> impl Iterator<Item = Named> {
        commands.into_iter().filter(|(name, _)| self.known.contains(name))
    }
}

fn renewals(key: &str, new: &str, read: &str, digest: &str) -> [Named; 2] {
    let set = |word, what| ["SET", key, new, word, what, "GET", "PX", "360000"].map(str::to_owned).to_vec();
    [("SET IFEQ GET PX", set("IFEQ", read)), (BY_DIGEST, set("IFDEQ", digest))]
}

fn deletions(key: &str, read: &str, digest: &str) -> [Named; 3] {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    [
        ("DELEX IFEQ", words(&["DELEX", key, "IFEQ", read])),
        ("DELEX IFDEQ", words(&["DELEX", key, "IFDEQ", digest])),
        ("DELIFEQ", words(&["DELIFEQ", key, read])),
    ]
}

fn is_unknown(error: &str) -> bool {
    error.starts_with("unknown command") || error == "syntax error"
}
