//! `QUOTELOCK.ACQUIRE`

use super::new_lock::{ALIGN_ARG, BUFFER_ARG, LAG_ARG, NewLock, QUERY_TIME_ARG, ROLE_IDS_ARG, TTL_ARG};
use super::{USER, USER_ARG, reply, stored};
use crate::command::JSON_ARG;
use crate::command::counters::{LOCKS_CREATED, LOCKS_HELD, LOCKS_REFRESHED};
use crate::command::error::Error;
use crate::command::grammar::{Choice, Words};
use crate::command::settings;
use crate::moment::Moment;
use crate::quotelock::{Outcome, acquire};
use crate::server::{Arg, Call, Command, Example, KeyFlag, KeySpec, Spec};

/// Returns the lock in force; starts one where there is none, renews one that is closing.
pub struct Acquire;

impl Command for Acquire {
    const SPEC: Spec = Spec {
        name: "quotelock.acquire",
        summary: "Returns the price lock in force, after creating it if there is none or renewing it if it is closing.",
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
            Arg::word("IFMISSING", "ifmissing", "leave a closing lock alone").optional(),
            TTL_ARG,
            BUFFER_ARG,
            LAG_ARG,
            ALIGN_ARG,
            JSON_ARG,
        ],
        about: "\
Get-or-set in one step, for the screens that may start a lock: of any number of callers that race, exactly one creates or \
renews, and all are given the same lock.

| lock | what happens | `outcome` |
|---|---|---|
| none | the caller's is created | `Created` |
| `CloseToExpired`, and the caller's moment is later than the one held | the caller's takes its place | `Refreshed` |
| `CloseToExpired` else, or with `IFMISSING` | the lock stays | `Held` |
| `Effective` | the lock stays | `Held` |

A lock that is held keeps its moment, its roles and its expiry: the lock in force wins over what the caller brought. A \
string that is not a lock counts as no lock.

A map uses `ACQUIRE`, a vehicle's page `ACQUIRE … IFMISSING`, reserving `QUOTELOCK.GET`. The arguments of the new lock \
are those of `QUOTELOCK.SET`; they are checked also when the lock is held.",
        replies: &[
            (
                "without `JSON`",
                "the lock now in force: a map of `roleIds` (array of strings), `queryTime`, `state` and `outcome`; in RESP2 a flat array",
            ),
            ("with `JSON`", "one bulk string: an object with the same members"),
        ],
        examples: &[
            Example(
                r#"QUOTELOCK.ACQUIRE user:42 '["3","7"]' 2024-09-12T02:50:53.000Z"#,
                "1) \"roleIds\"\n2) 1) \"3\"\n   2) \"7\"\n3) \"queryTime\"\n4) \"2024-09-12T02:50:53.000Z\"\n5) \"state\"\n6) \"CloseToExpired\"\n7) \"outcome\"\n8) \"Created\"",
            ),
            Example(
                r#"QUOTELOCK.ACQUIRE user:42 '["9"]' 2999-01-01T00:00:00Z IFMISSING JSON"#,
                r#""{\"roleIds\":[\"3\",\"7\"],\"queryTime\":\"2024-09-12T02:50:53.000Z\",\"state\":\"CloseToExpired\",\"outcome\":\"Held\"}""#,
            ),
            Example(
                r#"QUOTELOCK.ACQUIRE user:42 '["9"]' 2999-01-01T00:00:00Z JSON"#,
                r#""{\"roleIds\":[\"9\"],\"queryTime\":\"2999-01-01T00:00:00Z\",\"state\":\"Effective\",\"outcome\":\"Refreshed\"}""#,
            ),
            Example(
                r#"QUOTELOCK.ACQUIRE user:42 '["3"]' * JSON"#,
                r#""{\"roleIds\":[\"9\"],\"queryTime\":\"2999-01-01T00:00:00Z\",\"state\":\"Effective\",\"outcome\":\"Held\"}""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let arguments = parse(call)?;
        let now = Moment::from_unix_ms(call.now_ms());
        let wanted = arguments.new_lock.at(now)?;
        let mut key = call.write_key(USER)?;
        let settings = settings::lock_terms();
        let held = stored::lock(call, &key)?;
        let outcome = acquire(held.as_ref(), wanted.time.moment, arguments.if_missing, settings, now);
        match outcome {
            Outcome::Created => LOCKS_CREATED.count(),
            Outcome::Refreshed => LOCKS_REFRESHED.count(),
            Outcome::Held => LOCKS_HELD.count(),
        }
        let in_force = match held {
            Some(held) if outcome == Outcome::Held => held,
            _ => wanted.store(&mut key),
        };
        let state = in_force.state(now, settings);
        reply(call, &in_force, state, Some(outcome), arguments.json);
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
    let (mut if_missing, mut json) = (Choice::none(), Choice::none());
    let mut words = Words::new(Acquire::SPEC.name, call.args_from(4));
    while words.advance() {
        if words.is("IFMISSING") {
            if_missing.take("IFMISSING", ())?;
        } else if words.is("JSON") {
            json.take("JSON", ())?;
        } else {
            new_lock.take(&mut words)?;
        }
    }
    Ok(Arguments { new_lock, if_missing: if_missing.value().is_some(), json: json.value().is_some() })
}
