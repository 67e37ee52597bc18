//! The lock itself, and the JSON it is kept and answered as.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{Outcome, RoleIds, State, Terms};
use crate::moment::Moment;

/// JSON text on its way out; the lock of a user with a few dozen roles fits without an allocation.
pub type Json = SmallVec<[u8; 512]>;

/// One user's price lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock<'a> {
    /// The roles at which prices are asked for.
    pub role_ids: RoleIds<'a>,
    /// The moment at which prices are asked for, in the words it was given in.
    pub query_time: Cow<'a, str>,
    /// The moment those words mean.
    pub moment: Moment,
    /// The lock's own ttl in milliseconds; without one the settings' counts.
    pub ttl_ms: Option<i64>,
    /// The lock's own buffer in milliseconds; without one the settings' counts.
    pub buffer_ms: Option<i64>,
}

impl Lock<'_> {
    /// The terms of this lock: its own, and the `settings` for what it doesn't carry.
    pub fn terms(&self, settings: Terms) -> Terms {
        Terms {
            ttl_ms: self.ttl_ms.unwrap_or(settings.ttl_ms),
            buffer_ms: self.buffer_ms.unwrap_or(settings.buffer_ms),
        }
    }

    /// The state of this lock at `now`.
    pub fn state(&self, now: Moment, settings: Terms) -> State {
        State::at(now, self.moment, self.terms(settings))
    }

    /// The lock as it is stored: byte for byte what `JSON.stringify({roleIds, queryTime})` gives, with `ttlMs` and
    /// `bufferMs` after the two where the lock has its own.
    pub fn to_stored(&self) -> Json {
        let mut json = self.open_json();
        for (name, ms) in [("ttlMs", self.ttl_ms), ("bufferMs", self.buffer_ms)] {
            if let Some(ms) = ms {
                push_name(&mut json, name);
                // Writing a number to memory has no way to fail.
                let _ = serde_json::to_writer(&mut json, &ms);
            }
        }
        json.push(b'}');
        json
    }

    /// The lock as it is answered with the word `JSON`: `roleIds`, `queryTime`, `state`, and `outcome` if there is one.
    pub fn to_reply(&self, state: State, outcome: Option<Outcome>) -> Json {
        let mut json = self.open_json();
        push_text(&mut json, "state", state.name());
        if let Some(outcome) = outcome {
            push_text(&mut json, "outcome", outcome.name());
        }
        json.push(b'}');
        json
    }

    fn open_json(&self) -> Json {
        let mut json = Json::new();
        json.extend_from_slice(b"{\"roleIds\":");
        self.role_ids.write_json(&mut json);
        push_text(&mut json, "queryTime", &self.query_time);
        json
    }
}

/// Appends a member whose text needs no escapes: names of states and outcomes, and RFC 3339 times.
fn push_text(json: &mut Json, name: &str, text: &str) {
    push_name(json, name);
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}

fn push_name(json: &mut Json, name: &str) {
    json.extend_from_slice(b",\"");
    json.extend_from_slice(name.as_bytes());
    json.extend_from_slice(b"\":");
}

#[cfg(test)]
impl<'a> Lock<'a> {
    /// A lock without roles or terms of its own, for tests.
    pub(super) fn on(query_time: &'a str) -> Self {
        Self {
            role_ids: RoleIds::Plain(b""),
            query_time: query_time.into(),
            moment: Moment::parse(query_time.as_bytes()).unwrap(),
            ttl_ms: None,
            buffer_ms: None,
        }
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
            assert_eq!(std::str::from_utf8(&lock.to_stored()), Ok(*expected));
        }
    }

    #[test]
    fn is_answered_with_its_state_and_without_its_terms() {
        let lock = Lock { ttl_ms: Some(1), ..Lock::on("2024-09-12T02:50:53Z") };
        let cases = [
            (None, r#"{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z","state":"Effective"}"#),
            (
                Some(Outcome::Held),
                r#"{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z","state":"Effective","outcome":"Held"}"#,
            ),
        ];
        for (outcome, expected) in cases {
            let json = lock.to_reply(State::Effective, outcome);
            assert_eq!(std::str::from_utf8(&json), Ok(expected));
        }
    }
}
