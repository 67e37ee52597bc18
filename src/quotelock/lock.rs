//! The lock itself, and the JSON it is kept and answered as.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{Outcome, RoleIds, State, Terms};
use crate::moment::Moment;

/// JSON text on its way out; the lock of a user with a few dozen roles fits without an allocation.
pub type Json = SmallVec<[u8; 512]>;

/// One user's price lock.
#[derive(Clone, Debug)]
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
    /// `{"roleIds":[…],"queryTime":"…"`, where the lock was read from a text that begins just so.
    pub(super) opening: Option<&'a [u8]>,
}

impl<'a> Lock<'a> {
    /// A lock on the moment that `query_time` means, with its own terms if it is to have any.
    pub fn new(
        role_ids: RoleIds<'a>,
        query_time: Cow<'a, [u8]>,
        moment: Moment,
        ttl_ms: Option<i64>,
        buffer_ms: Option<i64>,
    ) -> Self {
        Self { role_ids, query_time, moment, ttl_ms, buffer_ms, opening: None }
    }

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

    /// Writes the lock as it is stored: byte for byte what `JSON.stringify({roleIds, queryTime})` gives, with `ttlMs`
    /// and `bufferMs` after the two where the lock has its own.
    pub fn write_stored(&self, json: &mut Json) {
        self.write_opening(json);
        for (name, ms) in [(",\"ttlMs\":", self.ttl_ms), (",\"bufferMs\":", self.buffer_ms)] {
            if let Some(ms) = ms {
                json.extend_from_slice(name.as_bytes());
                // Writing a number to memory has no way to fail.
                let _ = serde_json::to_writer(&mut *json, &ms);
            }
        }
        json.push(b'}');
    }

    /// Writes the lock as it is answered with the word `JSON`: `roleIds`, `queryTime`, `state`, and `outcome` if there
    /// is one.
    pub fn write_reply(&self, json: &mut Json, state: State, outcome: Option<Outcome>) {
        self.write_opening(json);
        json.extend_from_slice(match state {
            State::Effective => b",\"state\":\"Effective\"",
            State::CloseToExpired => b",\"state\":\"CloseToExpired\"",
        });
        json.extend_from_slice(match outcome {
            None => b"}",
            Some(Outcome::Created) => b",\"outcome\":\"Created\"}",
            Some(Outcome::Refreshed) => b",\"outcome\":\"Refreshed\"}",
            Some(Outcome::Held) => b",\"outcome\":\"Held\"}",
        });
    }

    fn write_opening(&self, json: &mut Json) {
        if let Some(opening) = self.opening {
            return json.extend_from_slice(opening);
        }
        json.extend_from_slice(b"{\"roleIds\":");
        self.role_ids.write_json(json);
        json.extend_from_slice(b",\"queryTime\":\"");
        // An RFC 3339 time has no character that JSON escapes.
        json.extend_from_slice(&self.query_time);
        json.push(b'"');
    }
}

/// Locks are equal when they mean the same, however they were read.
impl PartialEq for Lock<'_> {
    fn eq(&self, other: &Self) -> bool {
        let terms = |lock: &Self| (lock.ttl_ms, lock.buffer_ms);
        self.role_ids == other.role_ids
            && self.query_time == other.query_time
            && self.moment == other.moment
            && terms(self) == terms(other)
    }
}

#[cfg(test)]
impl<'a> Lock<'a> {
    /// A lock without roles or terms of its own, for tests.
    pub(super) fn on(query_time: &'a str) -> Self {
        let moment = Moment::parse(query_time.as_bytes()).unwrap();
        Self::new(RoleIds::Plain(b""), query_time.as_bytes().into(), moment, None, None)
    }

    pub(super) fn stored(&self) -> Vec<u8> {
        let mut json = Json::new();
        self.write_stored(&mut json);
        json.into_vec()
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
        let cases = [
            (None, r#"{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z","state":"Effective"}"#),
            (
                Some(Outcome::Held),
                r#"{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z","state":"Effective","outcome":"Held"}"#,
            ),
        ];
        for (outcome, expected) in cases {
            let mut json = Json::new();
            lock.write_reply(&mut json, State::Effective, outcome);
            assert_eq!(std::str::from_utf8(&json), Ok(expected));
        }
    }
}
