//! `QUOTELOCK.DEL`

use super::{DEL_EVENT, USER, USER_ARG, stored};
use crate::command::counters::LOCKS_DELETED;
use crate::command::error::Error;
use crate::command::grammar::{Choice, Words};
use crate::server::{Arg, Call, Command, Example, KeyFlag, KeySpec, Spec};

/// Deletes a lock.
pub struct Del;

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
            Arg::string("queryTime", "only while the lock holds this very moment").after("IFEQ").optional(),
        ],
        about: "\
Deletes the key, whatever string it holds. With `IFEQ` only while it holds a lock whose `queryTime` is this one, byte for \
byte: so a caller ends the lock it knows and never a newer one.",
        replies: &[("the key was deleted", "1"), ("else", "0")],
        examples: &[
            Example(r#"QUOTELOCK.SET user:42 '["3","7"]' 2024-09-12T02:50:53.000Z"#, "OK"),
            Example("QUOTELOCK.DEL user:42 IFEQ 2024-09-12T02:50:53Z", "(integer) 0"),
            Example("QUOTELOCK.DEL user:42 IFEQ 2024-09-12T02:50:53.000Z", "(integer) 1"),
            Example("QUOTELOCK.DEL user:42", "(integer) 0"),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let expected = parse(call.args_from(2))?;
        let mut key = call.write_key(USER)?;
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
fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Option<&'a [u8]>, Error> {
    let mut words = Words::new(Del::SPEC.name, words);
    let mut expected = Choice::none();
    while words.advance() {
        if words.is("IFEQ") {
            let query_time = words.value("IFEQ")?;
            expected.take("IFEQ", query_time)?;
        } else {
            return Err(words.unknown());
        }
    }
    Ok(expected.value())
}
