//! Parsing the value of a key, which this module, a service or anyone else may have written.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::role_ids::MAX_TEXT_BYTES;
use super::state::MAX_TTL_MS;
use super::{Lock, RoleIds};
use crate::timestamp::Timestamp;

/// How long a stored lock can be, in bytes. The shortest:
/// `{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z"}`.
pub const STORED_BYTES: RangeInclusive<usize> = 49..=MAX_TEXT_BYTES;

impl<'a> Lock<'a> {
    /// Parses a stored value. It is a lock if it is a JSON object with `roleIds`, an array of strings or
    /// numbers, `queryTime`, an RFC 3339 time with an offset, and no `ttlMs` or `bufferMs` that a caller
    /// couldn't have set. Other members are ignored.
    #[inline]
    pub fn parse(stored: &'a [u8]) -> Option<Self> {
        if !STORED_BYTES.contains(&stored.len()) {
            return None;
        }
        parse_fast(stored).or_else(|| parse_slow(stored))
    }
}

/// Parses a lock as the services write it, `{"roleIds":["3","7"],"queryTime":"…"}`, without an allocation.
/// Whatever this accepts, [`parse_slow`] reads as the same lock.
#[inline]
fn parse_fast(stored: &[u8]) -> Option<Lock<'_>> {
    let rest = stored.strip_prefix(b"{\"roleIds\":[")?;
    let (role_ids, rest) = RoleIds::split_verbatim(rest)?;
    let query_time = rest.strip_prefix(b",\"queryTime\":\"")?.strip_suffix(b"\"}")?;
    let moment = Timestamp::parse(query_time)?;
    Some(Lock { role_ids, query_time: Cow::Borrowed(query_time), moment, ttl_ms: None, buffer_ms: None })
}

/// Parses a lock written in JSON in any way.
#[cold]
fn parse_slow(stored: &[u8]) -> Option<Lock<'_>> {
    let text = std::str::from_utf8(stored).ok()?;
    let members: Members = serde_json::from_str(text).ok()?;
    let query_time: String = serde_json::from_str(members.query_time?.get()).ok()?;
    let moment = Timestamp::parse(query_time.as_bytes())?;
    let query_time = Cow::Owned(query_time.into_bytes());
    let role_ids = RoleIds::from_json(members.role_ids?.get())?;
    let (ttl_ms, buffer_ms) = (parse_term(members.ttl_ms, 1)?, parse_term(members.buffer_ms, 0)?);
    Some(Lock { role_ids, query_time, moment, ttl_ms, buffer_ms })
}

/// Parses a lock's own ttl or buffer: `Some(None)` if it has none, `None` if the value is invalid.
fn parse_term(json: Option<&RawValue>, min: i64) -> Option<Option<i64>> {
    let Some(json) = json else {
        return Some(None);
    };
    let ms: i64 = serde_json::from_str(json.get()).ok()?;
    (min..=MAX_TTL_MS).contains(&ms).then_some(Some(ms))
}

/// The members of a stored object that make a lock. `null` counts as missing, and the last of duplicates
/// wins, as in `JSON.parse`.
#[derive(Default)]
struct Members<'a> {
    role_ids: Option<&'a RawValue>,
    query_time: Option<&'a RawValue>,
    ttl_ms: Option<&'a RawValue>,
    buffer_ms: Option<&'a RawValue>,
}

enum Member {
    RoleIds,
    QueryTime,
    TtlMs,
    BufferMs,
    Unknown,
}

/// Names are read as bytes, because `JSON.parse` accepts a lone surrogate (`"\ud800"`) in a name and UTF-8
/// can't.
impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Member, E> {
                Ok(match name {
                    b"roleIds" => Member::RoleIds,
                    b"queryTime" => Member::QueryTime,
                    b"ttlMs" => Member::TtlMs,
                    b"bufferMs" => Member::BufferMs,
                    _ => Member::Unknown,
                })
            }
        }

        deserializer.deserialize_bytes(NameVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a lock")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(member) = map.next_key()? {
                    let value = map.next_value()?;
                    match member {
                        Member::RoleIds => members.role_ids = value,
                        Member::QueryTime => members.query_time = value,
                        Member::TtlMs => members.ttl_ms = value,
                        Member::BufferMs => members.buffer_ms = value,
                        Member::Unknown => {}
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::role_ids::{MAX_ROLE_ID_BYTES, MAX_ROLE_IDS};
    use super::*;
    use proptest::prelude::*;

    const TIME: &str = "2024-09-12T02:50:53.000Z";

    fn role_ids(lock: &Lock) -> Vec<String> {
        lock.role_ids.iter().map(|id| String::from_utf8(id.to_vec()).unwrap()).collect()
    }

    #[test]
    fn parses_every_way_to_write_a_lock() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        let cases: &[(String, &[&str])] = &[
            (format!(r#"{{"roleIds":[],"queryTime":"{TIME}"}}"#), &[]),
            (format!(r#"{{"roleIds":["3","7"],"queryTime":"{TIME}"}}"#), &["3", "7"]),
            (format!(r#"{{"queryTime":"{TIME}","roleIds":["3"]}}"#), &["3"]),
            (
                format!(r#"{{"roleIds":[3,9007199254740993,1.0],"queryTime":"{TIME}"}}"#),
                &["3", "9007199254740993", "1.0"],
            ),
            (format!("\n{{ \"roleIds\" : [ \"3\" ] ,\t\"queryTime\" : \"{TIME}\" }} "), &["3"]),
            (format!(r#"{{"roleIds":["\u0033\n"],"queryTime":"{TIME}"}}"#), &["3\n"]),
            (r#"{"role\u0049ds":["3"],"queryTime":"\u0032024-09-12T02:50:53.000Z"}"#.to_owned(), &["3"]),
            (format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","x":{{"roleIds":1}},"y":null}}"#), &["3"]),
            (format!(r#"{{"\ud800":1,"roleIds":["3"],"queryTime":"{TIME}","x\udfff":"\ud800"}}"#), &["3"]),
            (format!(r#"{{"roleIds":["3"],"x":{deep},"queryTime":"{TIME}"}}"#), &["3"]),
            (format!(r#"{{"roleIds":7,"roleIds":["3"],"queryTime":"{TIME}"}}"#), &["3"]),
            (format!(r#"{{"roleIds":[""],"queryTime":"{TIME}"}}"#), &[""]),
            (format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","ttlMs":null,"bufferMs":null}}"#), &["3"]),
        ];
        for (stored, expected) in cases {
            let lock = Lock::parse(stored.as_bytes()).unwrap_or_else(|| panic!("{stored}"));
            assert_eq!(role_ids(&lock), *expected, "{stored}");
            assert_eq!(lock.query_time, TIME.as_bytes(), "{stored}");
            assert_eq!((lock.ttl_ms, lock.buffer_ms), (None, None), "{stored}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_lock() {
        let cases = [
            String::new(),
            "5".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            format!(r#"["roleIds","queryTime","{TIME}","and so on"]"#),
            format!(r#"{{"queryTime":"{TIME}","padding":"padding padding"}}"#),
            r#"{"roleIds":["3"],"padding":"padding padding padding padding"}"#.to_owned(),
            format!(r#"{{"roleIds":null,"queryTime":"{TIME}"}}"#),
            r#"{"roleIds":["3","4","5","6","7","8","9"],"queryTime":null}"#.to_owned(),
            format!(r#"{{"roleIds":"3","queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":{{"0":"3"}},"queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":[null],"queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":[true],"queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":[["3"]],"queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":[{{}}],"queryTime":"{TIME}"}}"#),
            r#"{"roleIds":["3"],"queryTime":"2024-09-12T02:50:53.000"}"#.to_owned(),
            r#"{"roleIds":["3"],"queryTime":"not a time at all, really"}"#.to_owned(),
            r#"{"roleIds":["3"],"queryTime":1726109453000,"x":"padding"}"#.to_owned(),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}""#),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}"}} x"#),
            format!(r#"{{'roleIds':['3'],'queryTime':'{TIME}'}}"#),
            format!(r#"{{"roleIds":["3",],"queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":["3"],"roleIds":null,"queryTime":"{TIME}"}}"#),
            format!(r#"{{"roleids":["3"],"querytime":"{TIME}"}}"#),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","ttlMs":0}}"#),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","ttlMs":1.5}}"#),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","ttlMs":"1000"}}"#),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","ttlMs":315360000001}}"#),
            format!(r#"{{"roleIds":["3"],"queryTime":"{TIME}","bufferMs":-1}}"#),
            format!("\u{feff}{{\"roleIds\":[\"3\"],\"queryTime\":\"{TIME}\"}}"),
            format!(r#"{{"roleIds":["\ud800"],"queryTime":"{TIME}"}}"#),
            format!(
                "{{\"roleIds\":[{}\"3\"],\"queryTime\":\"{TIME}\"}}",
                "\"3\",".repeat(MAX_TEXT_BYTES / 4)
            ),
            "[".repeat(100_000),
        ];
        for stored in cases {
            assert_eq!(Lock::parse(stored.as_bytes()), None, "{}", stored.get(..80).unwrap_or(&stored));
        }
        assert_eq!(Lock::parse(b"{\"roleIds\":[\"\xff\"],\"queryTime\":\"2024-09-12T02:50:53.000Z\"}"), None);
    }

    #[test]
    fn stored_bytes_begin_with_the_shortest_lock() {
        let shortest = Lock::at("2024-09-12T02:50:53Z").stored();
        assert_eq!(shortest.len(), *STORED_BYTES.start());
        assert!(parse_fast(&shortest).is_some());
    }

    #[test]
    fn the_longest_lock_parses() {
        let ids = vec!["\u{1}".repeat(MAX_ROLE_ID_BYTES); MAX_ROLE_IDS];
        let argument = serde_json::to_vec(&ids).unwrap();
        let lock = Lock { role_ids: RoleIds::parse(&argument).unwrap(), ..Lock::at(TIME) };
        assert_eq!(role_ids(&Lock::parse(&lock.stored()).unwrap()), ids);
    }

    #[test]
    fn parsers_agree_whichever_byte_changes() {
        let original = format!(r#"{{"roleIds":["3","7"],"queryTime":"{TIME}"}}"#);
        for index in 0..original.len() {
            for byte in 0..=u8::MAX {
                let mut stored = original.clone().into_bytes();
                stored[index] = byte;
                if let Some(lock) = parse_fast(&stored) {
                    assert_eq!(parse_slow(&stored), Some(lock), "{}", stored.escape_ascii());
                }
            }
        }
    }

    /// The role ids, time, ttl and buffer of any lock that a caller can set.
    fn any_lock() -> impl Strategy<Value = (Vec<String>, i64, Option<i64>, Option<i64>)> {
        let ids = proptest::collection::vec("[0-9]{1,4}|\\PC{1,6}|[\\x00-\\x7f]{1,6}", 0..6);
        let ttl = proptest::option::of(1..=MAX_TTL_MS);
        let buffer = proptest::option::of(0..=MAX_TTL_MS);
        (ids, 0..253_402_300_799_999_i64, ttl, buffer)
    }

    proptest! {
        #[test]
        fn parse_inverts_with_stored((ids, ms, ttl_ms, buffer_ms) in any_lock()) {
            let argument = serde_json::to_vec(&ids).unwrap();
            let moment = Timestamp::from_unix_ms(ms);
            let query_time = moment.format_rfc3339().unwrap().into_bytes().into();
            let lock = Lock { role_ids: RoleIds::parse(&argument).unwrap(), query_time, moment, ttl_ms, buffer_ms };
            let stored = lock.stored();
            let parsed = Lock::parse(&stored).unwrap();
            prop_assert_eq!(&parsed, &lock);
            prop_assert_eq!(role_ids(&parsed), ids);
        }

        #[test]
        fn parsers_agree_on_damaged_locks(
            (ids, ms, ttl_ms, buffer_ms) in any_lock(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let moment = Timestamp::from_unix_ms(ms);
            let query_time = moment.format_rfc3339().unwrap().into_bytes().into();
            let argument = serde_json::to_vec(&ids).unwrap();
            let lock = Lock { role_ids: RoleIds::parse(&argument).unwrap(), query_time, moment, ttl_ms, buffer_ms };
            let mut stored = lock.stored();
            for (index, byte) in damage {
                let index = index.index(stored.len());
                stored[index] = byte;
            }
            if let Some(fast) = parse_fast(&stored) {
                prop_assert_eq!(Some(fast), parse_slow(&stored));
            }
        }

        #[test]
        fn parsers_agree_on_text_of_the_fast_form(
            text in r#"\{"roleIds":\[("[0-9a-z\\"é,]{0,3}",?){0,3}\],"queryTime":"2024-0[0-9]-[0-3][0-9]T0[0-9]:50:[0-6][0-9](\.[0-9]{0,4})?(Z|z|\+08:00|)"\}"#
        ) {
            if let Some(fast) = parse_fast(text.as_bytes()) {
                let slow = parse_slow(text.as_bytes()).unwrap();
                let reply = |lock: &Lock| lock.with_reply(State::Effective, None, <[u8]>::to_vec);
                prop_assert_eq!(reply(&fast), reply(&slow));
                prop_assert_eq!(fast, slow);
            }
        }
    }
}
