//! What every test stands on: a server of its own, commands as text, bounded waits.

mod aof;
mod call;
mod clock;
mod crc64;
mod dice;
mod effects;
mod keyspace;
mod odd;
mod replicas;
mod server;
mod stream;
mod table;
mod table_dice;

pub(crate) use aof::{aof_lines, rewrite};
pub(crate) use call::{Words, brief, cmd, error, info, int, reply, show, text, try_cmd};
pub(crate) use clock::{PATIENCE, eventually, moment, now, rest};
pub(crate) use crc64::{body, crc64, signed};
pub(crate) use dice::Dice;
pub(crate) use effects::{aborts_a_watch, changes, events, forgotten};
pub(crate) use keyspace::{Keyspace, keyspace, stored};
pub(crate) use odd::{NO_INTEGERS, fill_other_types, odd_keys};
pub(crate) use replicas::{FakePrimary, follow, in_step, linked, primary, replica_of};
pub(crate) use server::{Builder, Kind, Server, for_each_server, free_port, module};
pub(crate) use stream::{FakeReplica, line, monitored};
pub(crate) use table::{
    LATEST_EXPIRY, Rows, Table, all_tables, digest, live_rows, pack, packed, pipelined, table,
};
pub(crate) use table_dice::SHORT_MS;
