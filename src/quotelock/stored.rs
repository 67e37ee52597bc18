//! Reading what is stored: locks of this module, of the services as they are today, and strings that are no lock.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::role_ids::{LONGEST_TEXT, split_plain};
use super::state::LONGEST_TTL_MS;
use super::{Lock, RoleIds};
use crate::moment::Moment;

/// No lock is shorter, in bytes: that is `{"roleIds":[],"queryTime":"2024-09-12T02:50:53Z"}`.
pub const SHORTEST_STORED: usize = 49;

impl<'a> Lock<'a> {
    /// Reads a stored value; `None` if it is not a lock: no JSON object, `roleIds` or `queryTime` missing or null,
    /// `roleIds` no array of strings or numbers, `queryTime` not RFC 3339 with an offset, or a ttl or buffer that no
    /// caller could have set. Other members are ignored.
    #[inline]
    pub fn read(stored: &'a [u8]) -> Option<Self> {
        read_plain(stored).or_else(|| read_any(stored))
    }
}

/// Reads a lock as the services write it, `{"roleIds":["3","7"],"queryTime":"…"}`, without an allocation. `None` leaves
/// the value to [`read_any`]; the two never disagree.
#[inline]
fn read_plain(stored: &[u8]) -> Option<Lock<'_>> {
    let rest = stored.strip_prefix(b"{\"roleIds\":[")?;
    let (role_ids, rest) = split_plain(rest)?;
    let query_time = rest.strip_prefix(b",\"queryTime\":\"")?.strip_suffix(b"\"}")?;
    let moment = Moment::parse(query_time)?;
    (stored.len() <= LONGEST_TEXT).then_some(Lock {
        role_ids: RoleIds::Plain(role_ids),
        query_time: Cow::Borrowed(query_time),
        moment,
        ttl_ms: None,
        buffer_ms: None,
    })
}

/// Reads every other way to write a lock in JSON.
#[cold]
fn read_any(stored: &[u8]) -> Option<Lock<'_>> {
    if !(SHORTEST_STORED..=LONGEST_TEXT).contains(&stored.len()) {
        return None;
    }
    let text = std::str::from_utf8(stored).ok()?;
    let members: Members = serde_json::from_str(text).ok()?;
    let query_time: String = serde_json::from_str(members.query_time?.get()).ok()?;
    let moment = Moment::parse(query_time.as_bytes())?;
    let query_time = Cow::Owned(query_time.into_bytes());
    let role_ids = RoleIds::from_json(members.role_ids?.get())?;
    let (ttl_ms, buffer_ms) = (own_term(members.ttl_ms, 1)?, own_term(members.buffer_ms, 0)?);
    Some(Lock { role_ids, query_time, moment, ttl_ms, buffer_ms })
}

/// A lock's own ttl or buffer: `Some(None)` where it has none, `None` where what is there is no such thing.
fn own_term(json: Option<&RawValue>, least: i64) -> Option<Option<i64>> {
    let Some(json) = json else {
        return Some(None);
    };
    let ms: i64 = serde_json::from_str(json.get()).ok()?;
    (least..=LONGEST_TTL_MS).contains(&ms).then_some(Some(ms))
}

/// The members of a stored object that make a lock; `null` counts as missing. Of a member that is there twice the last
/// counts, as in `JSON.parse`.
#[derive(Default)]
struct Members<'a> {
    role_ids: Option<&'a RawValue>,
    query_time: Option<&'a RawValue>,
    ttl_ms: Option<&'a RawValue>,
    buffer_ms: Option<&'a RawValue>,
}

enum Name {
    RoleIds,
    QueryTime,
    TtlMs,
    BufferMs,
    Unknown,
}

/// Names are read as bytes: half a surrogate pair (`"\ud800"`), a name like any other to `JSON.parse`, is no text.
impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
                Ok(match name {
                    b"roleIds" => Name::RoleIds,
                    b"queryTime" => Name::QueryTime,
                    b"ttlMs" => Name::TtlMs,
                    b"bufferMs" => Name::BufferMs,
                    _ => Name::Unknown,
                })
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a lock")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key()? {
                    let value = map.next_value()?;
                    match name {
                        Name::RoleIds => members.role_ids = value,
                        Name::QueryTime => members.query_time = value,
                        Name::TtlMs => members.ttl_ms = value,
                        Name::BufferMs => members.buffer_ms = value,
                        Name::Unknown => {}
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use proptest::prelude::*;

    const TIME: &str = "2024-09-12T02:50:53.000Z";

    fn role_ids(lock: &Lock) -> Vec<String> {
        lock.role_ids.iter().map(|id| String::from_utf8(id.to_vec()).unwrap()).collect()
    }

    #[test]
    fn reads_locks_however_they_are_written() {
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
            let lock = Lock::read(stored.as_bytes()).unwrap_or_else(|| panic!("{stored}"));
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
            format!("{{\"roleIds\":[{}\"3\"],\"queryTime\":\"{TIME}\"}}", "\"3\",".repeat(LONGEST_TEXT / 4)),
            "[".repeat(100_000),
        ];
        for stored in cases {
            assert_eq!(Lock::read(stored.as_bytes()), None, "{}", stored.get(..80).unwrap_or(&stored));
        }
        assert_eq!(Lock::read(b"{\"roleIds\":[\"\xff\"],\"queryTime\":\"2024-09-12T02:50:53.000Z\"}"), None);
    }

    #[test]
    fn the_shortest_lock_is_as_short_as_said() {
        let shortest = Lock::on("2024-09-12T02:50:53Z").stored();
        assert_eq!(shortest.len(), SHORTEST_STORED);
        assert!(read_plain(&shortest).is_some());
    }

    #[test]
    fn the_longest_lock_a_caller_can_give_can_be_read_back() {
        let ids = vec!["\u{1}".repeat(super::super::LONGEST_ROLE_ID); super::super::MOST_ROLE_IDS];
        let argument = serde_json::to_vec(&ids).unwrap();
        let lock = Lock { role_ids: RoleIds::parse(&argument).unwrap(), ..Lock::on(TIME) };
        assert_eq!(role_ids(&Lock::read(&lock.stored()).unwrap()), ids);
    }

    #[test]
    fn the_two_readers_agree_on_every_byte_at_every_place() {
        let plain = format!(r#"{{"roleIds":["3","7"],"queryTime":"{TIME}"}}"#);
        for place in 0..plain.len() {
            for byte in 0..=u8::MAX {
                let mut stored = plain.clone().into_bytes();
                stored[place] = byte;
                if let Some(lock) = read_plain(&stored) {
                    assert_eq!(read_any(&stored), Some(lock), "{}", stored.escape_ascii());
                }
            }
        }
    }

    /// Locks as a caller can set them, and the JSON they are stored as.
    fn any_stored() -> impl Strategy<Value = (Vec<String>, i64, Option<i64>, Option<i64>)> {
        let ids = proptest::collection::vec("[0-9]{1,4}|\\PC{1,6}|[\\x00-\\x7f]{1,6}", 0..6);
        let ttl = proptest::option::of(1..=LONGEST_TTL_MS);
        let buffer = proptest::option::of(0..=LONGEST_TTL_MS);
        (ids, 0..253_402_300_799_999_i64, ttl, buffer)
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_back((ids, ms, ttl_ms, buffer_ms) in any_stored()) {
            let argument = serde_json::to_vec(&ids).unwrap();
            let moment = Moment::from_unix_ms(ms);
            let query_time = moment.to_text().into_bytes().into();
            let given = RoleIds::parse(&argument).unwrap();
            let lock = Lock { role_ids: given, query_time, moment, ttl_ms, buffer_ms };
            let stored = lock.stored();
            let read = Lock::read(&stored).unwrap();
            prop_assert_eq!(&read, &lock);
            prop_assert_eq!(role_ids(&read), ids);
        }

        #[test]
        fn the_two_readers_agree_on_damaged_locks(
            (ids, ms, ttl_ms, buffer_ms) in any_stored(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let moment = Moment::from_unix_ms(ms);
            let query_time = moment.to_text().into_bytes().into();
            let role_ids = RoleIds::Listed(ids.into_iter().map(Cow::Owned).collect());
            let lock = Lock { role_ids, query_time, moment, ttl_ms, buffer_ms };
            let mut stored = lock.stored();
            for (index, byte) in damage {
                let index = index.index(stored.len());
                stored[index] = byte;
            }
            if let Some(plain) = read_plain(&stored) {
                prop_assert_eq!(Some(plain), read_any(&stored));
            }
        }

        #[test]
        fn the_two_readers_agree_on_texts_that_look_plain(
            text in r#"\{"roleIds":\[("[0-9a-z\\"é,]{0,3}",?){0,3}\],"queryTime":"2024-0[0-9]-[0-3][0-9]T0[0-9]:50:[0-6][0-9](\.[0-9]{0,4})?(Z|z|\+08:00|)"\}"#
        ) {
            if let Some(plain) = read_plain(text.as_bytes()) {
                let any = read_any(text.as_bytes()).unwrap();
                let reply = |lock: &Lock| lock.with_reply(State::Effective, None, <[u8]>::to_vec);
                prop_assert_eq!(reply(&plain), reply(&any));
                prop_assert_eq!(plain, any);
            }
        }

        #[test]
        fn any_bytes_are_judged(stored in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(read_plain(&stored), None);
            prop_assert_eq!(Lock::read(&stored), None);
        }
    }
}
