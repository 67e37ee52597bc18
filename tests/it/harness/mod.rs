//! What every test stands on: a server of its own, commands as text, bounded waits.

mod call;
mod clock;
mod server;

pub(crate) use call::{Words, cmd, error, info, int, reply, show, text, try_cmd};
pub(crate) use clock::{eventually, moment, now, rest};
pub(crate) use server::{Builder, Kind, Server, for_each_server};
