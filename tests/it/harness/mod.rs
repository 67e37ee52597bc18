//! What every test stands on: a server of its own, commands as text, bounded waits.

mod call;
mod clock;
mod dice;
mod keyspace;
mod server;
mod stream;

pub(crate) use call::{Words, brief, cmd, error, info, int, reply, show, text, try_cmd};
pub(crate) use clock::{eventually, moment, now, rest};
pub(crate) use dice::Dice;
pub(crate) use keyspace::{keyspace, stored};
pub(crate) use server::{Builder, Kind, Server, for_each_server};
pub(crate) use stream::{FakeReplica, line, monitored, next_command};
