//! A user's price lock: the moment and the role ids that prices are asked for, and its JSON.

mod query_time;
mod role_ids;
mod state;
mod stored;

pub use query_time::{LockTime, QueryTime};
pub use role_ids::{RoleIds, RoleIdsError};
pub use state::{MAX_TTL_MS, Outcome, State, Terms, acquire};
pub use stored::STORED_BYTES;

use std::borrow::Cow;

use crate::timestamp::Timestamp;

/// A user's price lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock<'a> {
    /// The roles that prices are asked for.
    pub role_ids: RoleIds<'a>,
    /// The moment that prices are asked for, in the text it was given in; ASCII, as RFC 3339 is.
    pub query_time: Cow<'a, [u8]>,
    /// The moment that `query_time` is the text of.
    pub moment: Timestamp,
    /// The lock's own ttl in milliseconds, if it overrides the settings'.
    pub ttl_ms: Option<i64>,
    /// The lock's own buffer in milliseconds, if it overrides the settings'.
    pub buffer_ms: Option<i64>,
}

impl<'a> Lock<'a> {
    /// The terms of this lock: the `settings`, unless it overrides them.
    pub fn terms(&self, settings: Terms) -> Terms {
        settings.with_overrides(self.ttl_ms, self.buffer_ms)
    }

    /// The state of this lock at `now`.
    pub fn state(&self, now: Timestamp, settings: Terms) -> State {
        State::at(now, self.moment, self.terms(settings))
    }

    /// Calls `f` with the lock as it is stored: byte for byte `JSON.stringify({roleIds, queryTime})`,
    /// followed by `ttlMs` and `bufferMs` if the lock has its own.
    pub fn with_stored<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        if self.ttl_ms.is_none() && self.buffer_ms.is_none() {
            return self.with_json("\"}", f);
        }
        let member =
            |name: &str, ms: Option<i64>| ms.map_or_else(String::new, |ms| format!(",\"{name}\":{ms}"));
        let (ttl, buffer) = (member("ttlMs", self.ttl_ms), member("bufferMs", self.buffer_ms));
        self.with_json(&format!("\"{ttl}{buffer}}}"), f)
    }

    /// Calls `f` with the lock as a JSON reply: `roleIds`, `queryTime`, `state`, and any `outcome`.
    pub fn with_reply<T>(&self, state: State, outcome: Option<Outcome>, f: impl FnOnce(&[u8]) -> T) -> T {
        self.with_json(reply_tail(state, outcome), f)
    }

    /// Calls `f` with the JSON up to the text of `queryTime`, and `tail`.
    fn with_json<T>(&self, tail: &str, f: impl FnOnce(&[u8]) -> T) -> T {
        let ids = self.role_ids.json_elements();
        // An RFC 3339 time needs no escapes in JSON.
        with_concat(&[b"{\"roleIds\":[", &ids, b"],\"queryTime\":\"", &self.query_time, tail.as_bytes()], f)
    }
}

/// What follows `queryTime` in a reply. Whole strings, as each part would cost every reply one more copy.
fn reply_tail(state: State, outcome: Option<Outcome>) -> &'static str {
    use Outcome::{Created, Held, Refreshed};
    use State::{CloseToExpired, Effective};
    match (state, outcome) {
        (Effective, None) => r#"","state":"Effective"}"#,
        (Effective, Some(Created)) => r#"","state":"Effective","outcome":"Created"}"#,
        (Effective, Some(Refreshed)) => r#"","state":"Effective","outcome":"Refreshed"}"#,
        (Effective, Some(Held)) => r#"","state":"Effective","outcome":"Held"}"#,
        (CloseToExpired, None) => r#"","state":"CloseToExpired"}"#,
        (CloseToExpired, Some(Created)) => r#"","state":"CloseToExpired","outcome":"Created"}"#,
        (CloseToExpired, Some(Refreshed)) => r#"","state":"CloseToExpired","outcome":"Refreshed"}"#,
        (CloseToExpired, Some(Held)) => r#"","state":"CloseToExpired","outcome":"Held"}"#,
    }
}

/// Calls `f` with the parts concatenated: on the stack if they are short, as in nearly every lock.
fn with_concat<T>(parts: &[&[u8]], f: impl FnOnce(&[u8]) -> T) -> T {
    let mut buffer = [0; 512];
    let mut len = 0;
    for part in parts {
        let end = len + part.len();
        match buffer.get_mut(len..end) {
            Some(free) => free.copy_from_slice(part),
            None => return f(&parts.concat()),
        }
        len = end;
    }
    let (json, _) = buffer.split_at(len);
    f(json)
}

#[cfg(test)]
impl<'a> Lock<'a> {
    /// A lock without roles or terms of its own.
    fn at(query_time: &'a str) -> Self {
        let moment = Timestamp::parse(query_time.as_bytes()).unwrap();
        let query_time = query_time.as_bytes().into();
        Self { role_ids: RoleIds::parse(b"[]").unwrap(), query_time, moment, ttl_ms: None, buffer_ms: None }
    }

    fn stored(&self) -> Vec<u8> {
        self.with_stored(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stored_as_json_stringify_writes_it() {
        let time = "2024-09-12T02:50:53.000Z";
        let cases: &[(&str, Option<i64>, Option<i64>, &str)] = &[
            ("[]", None, None, r#"{"roleIds":[],"queryTime":"2024-09-12T02:50:53.000Z"}"#),
            ("3,7", None, None, r#"{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53.000Z"}"#),
            (
                r#"["a\"b\\c\n\u0001Ā/"]"#,
                None,
                None,
                r#"{"roleIds":["a\"b\\c\n\u0001Ā/"],"queryTime":"2024-09-12T02:50:53.000Z"}"#,
            ),
            ("3", Some(1), None, r#"{"roleIds":["3"],"queryTime":"2024-09-12T02:50:53.000Z","ttlMs":1}"#),
            ("3", None, Some(0), r#"{"roleIds":["3"],"queryTime":"2024-09-12T02:50:53.000Z","bufferMs":0}"#),
            (
                "3",
                Some(315_360_000_000),
                Some(60_000),
                r#"{"roleIds":["3"],"queryTime":"2024-09-12T02:50:53.000Z","ttlMs":315360000000,"bufferMs":60000}"#,
            ),
        ];
        for (role_ids, ttl_ms, buffer_ms, expected) in cases {
            let lock = Lock {
                role_ids: RoleIds::parse(role_ids.as_bytes()).unwrap(),
                ttl_ms: *ttl_ms,
                buffer_ms: *buffer_ms,
                ..Lock::at(time)
            };
            assert_eq!(std::str::from_utf8(&lock.stored()), Ok(*expected));
        }
    }

    #[test]
    fn reply_has_the_state_but_not_the_terms() {
        let lock = Lock { ttl_ms: Some(1), ..Lock::at("2024-09-12T02:50:53Z") };
        let outcomes = [None, Some(Outcome::Created), Some(Outcome::Refreshed), Some(Outcome::Held)];
        for state in [State::Effective, State::CloseToExpired] {
            for outcome in outcomes {
                let state_name = state.name();
                let outcome_json =
                    outcome.map_or_else(String::new, |outcome| format!(r#","outcome":"{}""#, outcome.name()));
                let expected = format!(
                    r#"{{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z","state":"{state_name}"{outcome_json}}}"#
                );
                let json = lock.with_reply(state, outcome, <[u8]>::to_vec);
                assert_eq!(std::str::from_utf8(&json), Ok(expected.as_str()));
            }
        }
    }
}
