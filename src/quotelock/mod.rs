//! `QUOTELOCK.*`: one user's price lock.

mod acquire;
mod del;
mod get;
mod new_lock;
mod set;
mod stored;

pub(crate) use acquire::Acquire;
pub(crate) use del::Del;
pub(crate) use get::Get;
pub(crate) use set::Set;

use std::ffi::CStr;

use quotelock_core::lock::{Lock, Outcome, State};
use quotelock_server::{Arg, Call};

/// Where the key is in the arguments of all four.
const USER: usize = 1;

/// The keyspace event of a lock that was written.
const SET_EVENT: &CStr = c"quotelock.set";

/// The keyspace event of a lock that was deleted.
const DEL_EVENT: &CStr = c"quotelock.del";

const USER_ARG: Arg = Arg::key("user", "the key of the user's lock");

/// Answers with a lock: a map, or one bulk string of JSON.
fn reply(call: &Call<'_>, lock: &Lock<'_>, state: State, outcome: Option<Outcome>, json: bool) {
    if json {
        return lock.with_reply(state, outcome, |json| call.reply_bytes(json));
    }
    call.reply_map(if outcome.is_some() { 4 } else { 3 });
    call.reply_bytes(b"roleIds");
    call.reply_array(lock.role_ids.count());
    for id in lock.role_ids.iter() {
        call.reply_bytes(id);
    }
    call.reply_bytes(b"queryTime");
    call.reply_bytes(&lock.query_time);
    call.reply_bytes(b"state");
    call.reply_bytes(state.name().as_bytes());
    if let Some(outcome) = outcome {
        call.reply_bytes(b"outcome");
        call.reply_bytes(outcome.name().as_bytes());
    }
}
