//! `QUOTELOCK.ACQUIRE`

use super::new_lock::{ALIGN_ARG, BUFFER_ARG, LAG_ARG, NewLock, QUERY_TIME_ARG, ROLE_IDS_ARG, TTL_ARG};
use super::{USER, USER_ARG, reply, stored};
use crate::JSON_ARG;
use crate::args::{ArgCursor, Exclusive};
use crate::counters::{LOCKS_CREATED, LOCKS_HELD, LOCKS_REFRESHED};
use crate::error::Error;
use crate::settings;
use quotelock_core::lock::{Outcome, acquire};
use quotelock_core::timestamp::Timestamp;
use quotelock_server::{Arg, Call, Command, KeyFlag, KeySpec, Spec};

/// Returns the lock in force; starts one if there is none, renews one that is closing.
pub(crate) struct Acquire;

impl Command for Acquire {
    const SPEC: Spec = Spec {
        name: "quotelock.acquire",
        summary: "Returns a user's price lock. Creates one if there is none, renews one that is close to expiry.",
        complexity: "O(N) where N is the number of role ids",
        since: "0.1.0",
        flags: "write deny-oom fast",
        categories: "write fast",
        arity: -4,
        keys: &[KeySpec::first(&[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])],
        args: &[
            USER_ARG,
            ROLE_IDS_ARG,
            QUERY_TIME_ARG,
            Arg::pure_token("IFMISSING", "ifmissing", "don't renew a lock that is close to expiry")
                .optional(),
            TTL_ARG,
            BUFFER_ARG,
            LAG_ARG,
            ALIGN_ARG,
            JSON_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let arguments = parse(call)?;
        let now = Timestamp::from_unix_ms(call.now_ms());
        let wanted = arguments.new_lock.at(now)?;
        let key = call.open_write(USER)?;
        let settings = settings::lock_terms();
        let held = stored::lock(call, &key)?;
        let outcome = acquire(held.as_ref(), wanted.time.moment(), arguments.if_missing, settings, now);
        let in_force = match held {
            Some(held) if outcome == Outcome::Held => held,
            _ => wanted.store(key),
        };
        let state = in_force.state(now, settings);
        reply(call, &in_force, state, Some(outcome), arguments.json)?;
        match outcome {
            Outcome::Created => LOCKS_CREATED.count(),
            Outcome::Refreshed => LOCKS_REFRESHED.count(),
            Outcome::Held => LOCKS_HELD.count(),
        }
        Ok(())
    }
}

struct Arguments<'a> {
    new_lock: NewLock<'a>,
    if_missing: bool,
    json: bool,
}

fn parse<'a>(call: &Call<'a>) -> Result<Arguments<'a>, Error> {
    let mut new_lock = NewLock::parse(call.arg(2), call.arg(3))?;
    let (mut if_missing, mut json) = (Exclusive::unset(), Exclusive::unset());
    let mut args = ArgCursor::new(Acquire::SPEC.name, 4, call.args_from(4));
    while args.advance() {
        if args.is("IFMISSING") {
            if_missing.set("IFMISSING", ())?;
        } else if args.is("JSON") {
            json.set("JSON", ())?;
        } else {
            new_lock.take_word(&mut args)?;
        }
    }
    Ok(Arguments { new_lock, if_missing: if_missing.is_set(), json: json.is_set() })
}
