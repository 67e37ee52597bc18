//! `QUOTELOCK.DEL`

use super::{DEL_EVENT, USER, USER_ARG, stored};
use crate::args::{ArgCursor, Exclusive};
use crate::counters::LOCKS_DELETED;
use crate::error::Error;
use quotelock_server::{Arg, Call, Command, KeyFlag, KeySpec, Spec};

/// Deletes a lock.
pub(crate) struct Del;

impl Command for Del {
    const SPEC: Spec = Spec {
        name: "quotelock.del",
        summary: "Deletes a user's price lock.",
        complexity: "O(1), with IFEQ O(N) where N is the number of role ids",
        since: "0.1.0",
        flags: "write fast",
        categories: "write fast",
        arity: -2,
        keys: &[KeySpec::first(&[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete])],
        args: &[
            USER_ARG,
            Arg::string("queryTime", "delete only a lock with exactly this queryTime")
                .after("IFEQ")
                .optional(),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let expected = parse(call.args_from(2))?;
        let key = call.open_write(USER)?;
        let delete = match expected {
            None => key.string_length()?.is_some(),
            Some(expected) => stored::lock(call, &key)?.is_some_and(|lock| *lock.query_time == *expected),
        };
        if delete {
            key.delete(DEL_EVENT);
            LOCKS_DELETED.count();
        }
        call.reply_integer(i64::from(delete));
        Ok(())
    }
}

/// The `queryTime` of `IFEQ`.
fn parse<'a>(args: impl Iterator<Item = &'a [u8]>) -> Result<Option<&'a [u8]>, Error> {
    let mut args = ArgCursor::new(Del::SPEC.name, 2, args);
    let mut expected = Exclusive::unset();
    while args.advance() {
        if args.is("IFEQ") {
            let query_time = args.value("IFEQ")?;
            expected.set("IFEQ", query_time)?;
        } else {
            return Err(args.unknown());
        }
    }
    Ok(expected.value())
}
