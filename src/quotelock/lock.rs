//! The lock itself, and the JSON it is kept and answered as.

use std::borrow::Cow;

use super::{Outcome, RoleIds, State, Terms};
use crate::moment::Moment;

/// One user's price lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock<'a> {
    /// The roles at which prices are asked for.
    pub role_ids: RoleIds<'a>,
    /// The moment at which prices are asked for, in the words it was given in; ASCII, as RFC 3339 is.
    pub query_time: Cow<'a, [u8]>,
    /// The moment those words mean.
    pub moment: Moment,
    /// The lock's own ttl in milliseconds; without one the settings' counts.
    pub ttl_ms: Option<i64>,
    /// The lock's own buffer in milliseconds; without one the settings' counts.
    pub buffer_ms: Option<i64>,
}

impl<'a> Lock<'a> {
    /// The terms of this lock: its own, and the `settings` for what it doesn't carry.
    pub fn terms(&self, settings: Terms) -> Terms {
        settings.with_own(self.ttl_ms, self.buffer_ms)
    }

    /// The state of this lock at `now`.
    pub fn state(&self, now: Moment, settings: Terms) -> State {
        State::at(now, self.moment, self.terms(settings))
    }

    /// Hands on the lock as it is stored: byte for byte what `JSON.stringify({roleIds, queryTime})` gives, with `ttlMs`
    /// and `bufferMs` after the two where the lock has its own.
    pub fn with_stored<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T {
        if self.ttl_ms.is_none() && self.buffer_ms.is_none() {
            return self.with_json("\"}", then);
        }
        let own_term =
            |name: &str, ms: Option<i64>| ms.map_or_else(String::new, |ms| format!(",\"{name}\":{ms}"));
        let (ttl, buffer) = (own_term("ttlMs", self.ttl_ms), own_term("bufferMs", self.buffer_ms));
        self.with_json(&format!("\"{ttl}{buffer}}}"), then)
    }

    /// Hands on the lock as it is answered with the word `JSON`: `roleIds`, `queryTime`, `state`, and `outcome` if there
    /// is one.
    pub fn with_reply<T>(&self, state: State, outcome: Option<Outcome>, then: impl FnOnce(&[u8]) -> T) -> T {
        self.with_json(ending(state, outcome), then)
    }

    /// Hands on the JSON of role ids and moment, and what follows the moment.
    fn with_json<T>(&self, ending: &str, then: impl FnOnce(&[u8]) -> T) -> T {
        let ids = self.role_ids.json();
        // An RFC 3339 time has no character that JSON escapes.
        with_joined(
            &[b"{\"roleIds\":[", &ids, b"],\"queryTime\":\"", &self.query_time, ending.as_bytes()],
            then,
        )
    }
}

/// How a reply ends behind the moment. Whole texts, as each part is a copy of its own in every reply.
fn ending(state: State, outcome: Option<Outcome>) -> &'static str {
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

/// Joins the parts and hands them on; a few hundred bytes, as nearly every lock has, without an allocation.
fn with_joined<T>(parts: &[&[u8]], then: impl FnOnce(&[u8]) -> T) -> T {
    let mut room = [0; 512];
    let mut length = 0_usize;
    for part in parts {
        let end = length.saturating_add(part.len());
        match room.get_mut(length..end) {
            Some(place) => place.copy_from_slice(part),
            None => return then(&parts.concat()),
        }
        length = end;
    }
    then(room.get(..length).unwrap_or_default())
}

#[cfg(test)]
impl<'a> Lock<'a> {
    /// A lock without roles or terms of its own, for tests.
    pub(super) fn on(query_time: &'a str) -> Self {
        let moment = Moment::parse(query_time.as_bytes()).unwrap();
        let query_time = query_time.as_bytes().into();
        Self { role_ids: RoleIds::Plain(b""), query_time, moment, ttl_ms: None, buffer_ms: None }
    }

    pub(super) fn stored(&self) -> Vec<u8> {
        self.with_stored(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_json_stringify_writes_it() {
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
                ..Lock::on(time)
            };
            assert_eq!(std::str::from_utf8(&lock.stored()), Ok(*expected));
        }
    }

    #[test]
    fn is_answered_with_its_state_and_without_its_terms() {
        let lock = Lock { ttl_ms: Some(1), ..Lock::on("2024-09-12T02:50:53Z") };
        let outcomes = [None, Some(Outcome::Created), Some(Outcome::Refreshed), Some(Outcome::Held)];
        for state in [State::Effective, State::CloseToExpired] {
            for outcome in outcomes {
                let state_name = state.name();
                let outcome_member =
                    outcome.map_or_else(String::new, |outcome| format!(r#","outcome":"{}""#, outcome.name()));
                let expected = format!(
                    r#"{{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z","state":"{state_name}"{outcome_member}}}"#
                );
                let json = lock.with_reply(state, outcome, <[u8]>::to_vec);
                assert_eq!(std::str::from_utf8(&json), Ok(expected.as_str()));
            }
        }
    }
}
