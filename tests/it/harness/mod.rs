//! What every test stands on: a server of its own, commands as text, bounded waits.

mod aof;
mod batches;
mod call;
mod clock;
mod copy;
mod dumps;
mod effects;
mod keyspace;
mod memory;
mod modules;
mod odd;
mod output;
mod over;
mod random;
mod refusals;
mod replicas;
mod servers;
mod stream;
mod table;
mod valgrind;

pub(crate) use aof::{aof_commands, aof_lines, rewrite};
pub(crate) use batches::{
    GivenRow, column_rows, escaped, id_list, json_rows, quoted_somehow, random_rows, rows_of,
};
pub(crate) use call::{Words, brief, cmd, error, info, int, reply, show, text, try_cmd};
pub(crate) use clock::{eventually, moment, now, rest};
pub(crate) use copy::{Fields, News, OwnCopy};
pub(crate) use dumps::{body, signed};
pub(crate) use effects::{
    Cache, Call, changes, events, growth, only_changes_abort_a_watch, only_changes_empty_a_cache,
};
pub(crate) use keyspace::{Keyspace, keyspace, stored};
pub(crate) use memory::peak;
pub(crate) use modules::load_beside;
pub(crate) use odd::{NO_INTEGERS, fill_other_types, odd_keys};
pub(crate) use output::output;
pub(crate) use over::Over;
pub(crate) use quotelock_testkit::{
    Builder, Kind, RawConnection, Rng, Server, TIMEOUT, free_port, pack, packed, workspace,
};
pub(crate) use random::{LASTING, SHORT_MS, lock_command, table_command};
pub(crate) use refusals::{Refusal, refuses};
pub(crate) use replicas::{FakePrimary, follow, in_step, linked, primary, replica_of};
pub(crate) use rstest::rstest;
pub(crate) use rstest_reuse::apply;
pub(crate) use servers::{each_server, module, oldest_and_newest, one_server, two_servers, whole_slots};
pub(crate) use stream::{FakeReplica, Sent, line, monitored};
pub(crate) use table::{
    LATEST_EXPIRY, Rows, Table, all_tables, digest, live_rows, pipelined, pipelined_bytes, table,
};
pub(crate) use valgrind::{VALGRIND, clean_under_valgrind};
