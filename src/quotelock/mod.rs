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

use crate::error::Error;
use crate::reply::{MAX_STRING_HEAD_BYTES, ReplySink, check_length};

/// Where the key is in the arguments of all four.
const USER: usize = 1;

/// The keyspace event of a lock that was written.
const SET_EVENT: &CStr = c"quotelock.set";

/// The keyspace event of a lock that was deleted.
const DEL_EVENT: &CStr = c"quotelock.del";

const USER_ARG: Arg = Arg::key("user", "the key of the user's lock");

/// Answers with a lock: a map, or one bulk string of JSON. Refused as too long are only locks that others wrote: one
/// of ours is shorter than any `max-reply-bytes`.
fn reply(
    call: &Call<'_>,
    lock: &Lock<'_>,
    state: State,
    outcome: Option<Outcome>,
    json: bool,
) -> Result<(), Error> {
    /// What a reply takes at most besides its role ids and `queryTime`.
    const AROUND: usize = 256;

    if json {
        return lock.with_reply(state, outcome, |json| {
            check_length(json.len(), |length| length.add(json.len()))?;
            call.reply_bytes(json);
            Ok(())
        });
    }
    let ids: usize = lock.role_ids.iter().map(|id| MAX_STRING_HEAD_BYTES + id.len()).sum();
    check_length(AROUND + ids + lock.query_time.len(), |length| reply_map(length, lock, state, outcome))?;
    reply_map(call, lock, state, outcome);
    Ok(())
}

fn reply_map(to: &impl ReplySink, lock: &Lock<'_>, state: State, outcome: Option<Outcome>) {
    to.reply_map(if outcome.is_some() { 4 } else { 3 });
    to.reply_bytes(b"roleIds");
    to.reply_array(lock.role_ids.count());
    for id in lock.role_ids.iter() {
        to.reply_bytes(id);
    }
    to.reply_bytes(b"queryTime");
    to.reply_bytes(&lock.query_time);
    to.reply_bytes(b"state");
    to.reply_bytes(state.name().as_bytes());
    if let Some(outcome) = outcome {
        to.reply_bytes(b"outcome");
        to.reply_bytes(outcome.name().as_bytes());
    }
}
