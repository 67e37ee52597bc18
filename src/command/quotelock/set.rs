//! `QUOTELOCK.SET`

use super::new_lock::{ALIGN_ARG, BUFFER_ARG, LAG_ARG, NewLock, QUERY_TIME_ARG, ROLE_IDS_ARG, TTL_ARG};
use super::{USER, USER_ARG};
use crate::command::counters::LOCKS_SET;
use crate::command::error::Error;
use crate::command::grammar::{Choice, Words};
use crate::moment::Moment;
use crate::server::{Arg, Call, Command, Example, KeyFlag, KeySpec, Spec};

/// Stores a lock, whatever lock is there.
pub struct Set;

/// What must hold of the key.
#[derive(Clone, Copy)]
enum Condition {
    Absent,
    Present,
}

impl Command for Set {
    const SPEC: Spec = Spec {
        name: "quotelock.set",
        summary: "Sets a user's price lock, whatever lock is there.",
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
                    Arg::word("NX", "nx", "only if the key is not there"),
                    Arg::word("XX", "xx", "only if the key is there"),
                ],
            )
            .optional(),
            TTL_ARG,
            BUFFER_ARG,
            LAG_ARG,
            ALIGN_ARG,
        ],
        about: "\
Stores a plain Redis string, byte for byte what `JSON.stringify({roleIds, queryTime})` gives, so that services that \
use `GET` and `SET … EX 360` can share keys with those that use the module. A lock with its own ttl or buffer carries \
`ttlMs` or `bufferMs` after the two. The key expires when the ttl is over, counted from now.

Screens that may start a lock use `QUOTELOCK.ACQUIRE`, which leaves the lock in force alone; `SET` overwrites it, as \
`SET` does. `NX` and `XX` look at the key, whatever string it holds.

- `roleIds` is a JSON array of strings or numbers (`[\"3\",\"7\"]`), or, for a hand at redis-cli, a comma list (`3,7`). A \
number is stored as the string of its digits. `[]` is allowed. At most 1,024 ids of 1 to 256 bytes; an id in a comma list \
has no white space, control characters, quotes, brackets or braces.
- `queryTime` is RFC 3339 with an offset, at most 64 bytes, kept byte for byte; or `*`, the server's clock as \
`YYYY-MM-DDTHH:MM:SS.mmmZ`.
- `EX`, `PX`: the lock's own ttl, 1 ms to 10 years. `BUFFER`, `PBUFFER`: its own buffer, at most the ttl it comes with.
- `LAG`, only with `*`: the moment is the clock less the lag (default: the setting `quotelock.lock-lag-ms`). A moment must \
not change after it was first asked for: set the lag above the time upstream takes to commit a price plus the clocks' skew.
- `ALIGN` floors the moment, after the lag, to a multiple of so many seconds since 1970 and stores it as \
`YYYY-MM-DDTHH:MM:SS.mmmZ`, so that many users share one moment. From 1 to the ttl less the buffer: with a longer one locks \
would be closing at birth.",
        replies: &[
            ("the lock is stored", "`OK`"),
            ("`NX` or `XX` was not met", "nil"),
        ],
        examples: &[
            Example(r#"QUOTELOCK.SET user:42 '["3","7"]' 2024-09-12T02:50:53.000Z"#, "OK"),
            Example(
                "GET user:42",
                r#""{\"roleIds\":[\"3\",\"7\"],\"queryTime\":\"2024-09-12T02:50:53.000Z\"}""#,
            ),
            Example("QUOTELOCK.SET user:42 3,7 * NX", "(nil)"),
            Example("QUOTELOCK.SET user:42 3,7 2024-09-12T10:53:07+08:00 XX EX 600 ALIGN 300", "OK"),
            Example(
                "GET user:42",
                r#""{\"roleIds\":[\"3\",\"7\"],\"queryTime\":\"2024-09-12T02:50:00.000Z\",\"ttlMs\":600000}""#,
            ),
            Example(
                "QUOTELOCK.SET user:42 3,7 2024-09-12T02:50:53",
                "(error) ERR invalid queryTime '2024-09-12T02:50:53', it takes an RFC 3339 time with an offset, as 2024-09-12T02:50:53.000Z, or '*' for the server's clock",
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (new_lock, condition) = parse(call)?;
        let wanted = new_lock.at(Moment::from_unix_ms(call.now_ms()))?;
        let mut key = call.write_key(USER)?;
        let present = key.string_length()?.is_some();
        let met = match condition {
            None => true,
            Some(Condition::Absent) => !present,
            Some(Condition::Present) => present,
        };
        if met {
            wanted.store(&mut key);
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
    let mut condition = Choice::none();
    let mut words = Words::new(Set::SPEC.name, call.args_from(4));
    while words.advance() {
        if words.is("NX") {
            condition.take("NX", Condition::Absent)?;
        } else if words.is("XX") {
            condition.take("XX", Condition::Present)?;
        } else {
            new_lock.take(&mut words)?;
        }
    }
    Ok((new_lock, condition.value()))
}
