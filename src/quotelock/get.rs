//! `QUOTELOCK.GET`

use super::{USER, USER_ARG, reply, stored};
use crate::JSON_ARG;
use crate::args::{ArgCursor, Exclusive};
use crate::counters::{LOCKS_CLOSE_TO_EXPIRED, LOCKS_EFFECTIVE, LOCKS_MISSING};
use crate::error::Error;
use crate::settings;
use quotelock_core::lock::State;
use quotelock_core::timestamp::Timestamp;
use quotelock_server::{Arg, Call, Command, KeyFlag, KeySpec, Spec, excerpt};

/// Reads a lock and tells its state.
pub(crate) struct Get;

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
            Arg::string("time", "return the state at this time instead of now").after("AT").optional(),
            JSON_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (at, json) = parse(call.args_from(2))?;
        let key = call.open_read(USER)?;
        let Some(lock) = stored::lock(call, &key)? else {
            LOCKS_MISSING.count();
            if json {
                call.reply_bytes(b"null");
            } else {
                call.reply_nil();
            }
            return Ok(());
        };
        let at = at.unwrap_or_else(|| Timestamp::from_unix_ms(call.now_ms()));
        let state = lock.state(at, settings::lock_terms());
        reply(call, &lock, state, None, json)?;
        match state {
            State::Effective => LOCKS_EFFECTIVE.count(),
            State::CloseToExpired => LOCKS_CLOSE_TO_EXPIRED.count(),
        }
        Ok(())
    }
}

/// The moment of `AT`, and whether `JSON` is asked.
fn parse<'a>(args: impl Iterator<Item = &'a [u8]>) -> Result<(Option<Timestamp>, bool), Error> {
    let mut args = ArgCursor::new(Get::SPEC.name, 2, args);
    let (mut at, mut json) = (Exclusive::unset(), Exclusive::unset());
    while args.advance() {
        if args.is("AT") {
            let text = args.value("AT")?;
            at.set("AT", Timestamp::parse(text).ok_or_else(|| Error::BadAt(excerpt(text)))?)?;
        } else if args.is("JSON") {
            json.set("JSON", ())?;
        } else {
            return Err(args.unknown());
        }
    }
    Ok((at.value(), json.is_set()))
}
