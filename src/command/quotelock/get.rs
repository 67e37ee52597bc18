//! `QUOTELOCK.GET`

use super::{USER, USER_ARG, reply, stored};
use crate::command::JSON_ARG;
use crate::command::counters::{LOCKS_CLOSE_TO_EXPIRED, LOCKS_EFFECTIVE, LOCKS_MISSING};
use crate::command::error::Error;
use crate::command::grammar::{Choice, Words};
use crate::command::settings;
use crate::moment::Moment;
use crate::quotelock::State;
use crate::server::{Arg, Call, Command, Example, KeyFlag, KeySpec, Spec, excerpt};

/// Reads a lock and judges its state.
pub struct Get;

impl Command for Get {
    const SPEC: Spec = Spec {
        name: "quotelock.get",
        summary: "Returns a user's price lock and its state.",
        complexity: "O(N) where N is the number of role ids",
        since: "0.1.0",
        flags: "readonly fast",
        categories: "read fast",
        arity: -2,
        keys: &[KeySpec::first(&[KeyFlag::Ro, KeyFlag::Access])],
        args: &[
            USER_ARG,
            Arg::string("time", "judge the state as of this moment").after("AT").optional(),
            JSON_ARG,
        ],
        about: "\
Never writes: for the screens that must not start or renew a lock, such as reserving.

A lock is `CloseToExpired` when its age in whole seconds, truncated toward zero, is more than its ttl less its buffer; \
else it is `Effective`, also with a `queryTime` in the future. Ttl and buffer are the lock's own, or else the settings \
`quotelock.lock-ttl-ms` and `quotelock.lock-buffer-ms` in force when it is read.

With `AT` the state is that of another moment. Whether the lock is still there is a matter of its key's expiry, which \
`AT` doesn't change.

A string that is not a lock counts as no lock; it is counted in `INFO quotelock` as `locks_invalid`, and the server's \
log has a warning, at most one a second.",
        replies: &[
            ("there is no lock", "nil; with `JSON` the bulk string `null`"),
            ("else", "a map of `roleIds` (array of strings), `queryTime` (as stored) and `state`; in RESP2 a flat array"),
            ("with `JSON`", "one bulk string: an object with the same members"),
        ],
        examples: &[
            Example(r#"QUOTELOCK.SET user:42 '["3","7"]' 2024-09-12T02:50:53.000Z"#, "OK"),
            Example(
                "QUOTELOCK.GET user:42 AT 2024-09-12T02:55:53.999Z",
                "1) \"roleIds\"\n2) 1) \"3\"\n   2) \"7\"\n3) \"queryTime\"\n4) \"2024-09-12T02:50:53.000Z\"\n5) \"state\"\n6) \"Effective\"",
            ),
            Example(
                "QUOTELOCK.GET user:42 AT 2024-09-12T02:55:54.000Z JSON",
                r#""{\"roleIds\":[\"3\",\"7\"],\"queryTime\":\"2024-09-12T02:50:53.000Z\",\"state\":\"CloseToExpired\"}""#,
            ),
            Example("QUOTELOCK.GET user:43", "(nil)"),
            Example("QUOTELOCK.GET user:43 JSON", "\"null\""),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (at, json) = parse(call.args_from(2))?;
        let key = call.read_key(USER)?;
        let Some(lock) = stored::lock(call, &key)? else {
            LOCKS_MISSING.count();
            if json {
                call.reply_bytes(b"null");
            } else {
                call.reply_nil();
            }
            return Ok(());
        };
        let at = at.unwrap_or_else(|| Moment::from_unix_ms(call.now_ms()));
        let state = lock.state(at, settings::lock_terms());
        match state {
            State::Effective => LOCKS_EFFECTIVE.count(),
            State::CloseToExpired => LOCKS_CLOSE_TO_EXPIRED.count(),
        }
        reply(call, &lock, state, None, json);
        Ok(())
    }
}

/// The moment of `AT`, and whether `JSON` is asked.
fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<(Option<Moment>, bool), Error> {
    let mut words = Words::new(Get::SPEC.name, words);
    let (mut at, mut json) = (Choice::none(), Choice::none());
    while words.advance() {
        if words.is("AT") {
            let text = words.value("AT")?;
            at.take("AT", Moment::parse(text).ok_or_else(|| Error::BadAt(excerpt(text)))?)?;
        } else if words.is("JSON") {
            json.take("JSON", ())?;
        } else {
            return Err(words.unknown());
        }
    }
    Ok((at.value(), json.value().is_some()))
}
