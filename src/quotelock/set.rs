//! `QUOTELOCK.SET`

use super::new_lock::{ALIGN_ARG, BUFFER_ARG, LAG_ARG, NewLock, QUERY_TIME_ARG, ROLE_IDS_ARG, TTL_ARG};
use super::{USER, USER_ARG};
use crate::args::{ArgCursor, Exclusive};
use crate::counters::LOCKS_SET;
use crate::error::Error;
use quotelock_core::timestamp::Timestamp;
use quotelock_server::{Arg, Call, Command, KeyFlag, KeySpec, Spec};

/// Stores a lock, whatever lock is there.
pub(crate) struct Set;

/// What must hold of the key.
#[derive(Clone, Copy)]
enum Condition {
    Absent,
    Present,
}

impl Command for Set {
    const SPEC: Spec = Spec {
        name: "quotelock.set",
        summary: "Sets a user's price lock, replacing an existing one.",
        complexity: "O(N) where N is the number of role ids",
        since: "0.1.0",
        flags: "write deny-oom fast",
        categories: "write fast",
        arity: -4,
        keys: &[KeySpec::first(&[KeyFlag::Ow, KeyFlag::Update])],
        args: &[
            USER_ARG,
            ROLE_IDS_ARG,
            QUERY_TIME_ARG,
            Arg::one_of(
                "condition",
                &[
                    Arg::pure_token("NX", "nx", "only if the key does not exist"),
                    Arg::pure_token("XX", "xx", "only if the key exists"),
                ],
            )
            .optional(),
            TTL_ARG,
            BUFFER_ARG,
            LAG_ARG,
            ALIGN_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (new_lock, condition) = parse(call)?;
        let wanted = new_lock.at(Timestamp::from_unix_ms(call.now_ms()))?;
        let key = call.open_write(USER)?;
        let present = key.string_length()?.is_some();
        let met = match condition {
            None => true,
            Some(Condition::Absent) => !present,
            Some(Condition::Present) => present,
        };
        if met {
            wanted.store(key);
            LOCKS_SET.count();
            call.reply_ok();
        } else {
            call.reply_nil();
        }
        Ok(())
    }
}

fn parse<'a>(call: &Call<'a>) -> Result<(NewLock<'a>, Option<Condition>), Error> {
    let mut new_lock = NewLock::parse(call.arg(2), call.arg(3))?;
    let mut condition = Exclusive::unset();
    let mut args = ArgCursor::new(Set::SPEC.name, 4, call.args_from(4));
    while args.advance() {
        if args.is("NX") {
            condition.set("NX", Condition::Absent)?;
        } else if args.is("XX") {
            condition.set("XX", Condition::Present)?;
        } else {
            new_lock.take_word(&mut args)?;
        }
    }
    Ok((new_lock, condition.value()))
}
