//! The role ids of a lock: as a caller passes them, and as JSON.

use std::borrow::Cow;
use std::slice;

use serde_json::value::RawValue;

use crate::json::{Elements, decode_text, read_elements};

/// How many role ids a caller may pass.
pub(super) const MAX_ROLE_IDS: usize = 1024;

/// How long each of them may be, in bytes.
pub(super) const MAX_ROLE_ID_BYTES: usize = 256;

/// The longest input that is parsed as role ids or as a stored lock, in bytes. As many role ids as a caller
/// may pass, each of the greatest length with every byte escaped, take three quarters of it.
pub(super) const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// A list of role ids.
#[derive(Clone, Debug)]
pub struct RoleIds<'a>(Repr<'a>);

#[derive(Clone, Debug)]
enum Repr<'a> {
    /// The elements of a JSON array as [`RoleIds::split_verbatim`] found them, such as `"3","7"`. Reading
    /// them allocates nothing, and they are written back as they are.
    Verbatim(&'a [u8]),
    /// Any other list.
    Decoded(Vec<Cow<'a, str>>),
}

impl<'a> RoleIds<'a> {
    /// Parses a caller's role ids: a JSON array of strings or numbers, or a comma-separated list.
    ///
    /// A number becomes a string of its digits as written.
    pub fn parse(argument: &'a [u8]) -> Result<Self, RoleIdsError> {
        if argument.is_empty() {
            return Err(RoleIdsError::Empty);
        }
        if argument.len() > MAX_TEXT_BYTES {
            return Err(RoleIdsError::TooLong);
        }
        let ids = match argument.strip_prefix(b"[").and_then(Self::split_verbatim) {
            Some((ids, b"")) => ids,
            _ => {
                let text = std::str::from_utf8(argument).map_err(|_| RoleIdsError::NotUtf8)?;
                let (ids, more) = if text.trim_start().starts_with('[') {
                    let ids = read_json(text, MAX_ROLE_IDS).ok_or(RoleIdsError::NotAnArray)?;
                    (ids.list, ids.more)
                } else {
                    read_comma_list(text).map_err(|error| other_json(text).unwrap_or(error))?
                };
                let ids = Self(Repr::Decoded(ids));
                ids.check_limits()?;
                return if more { Err(RoleIdsError::TooMany) } else { Ok(ids) };
            }
        };
        ids.check_limits()?;
        Ok(ids)
    }

    /// Splits `"3","7"]…`, a JSON array without its opening bracket and whatever follows, into the ids and
    /// the rest.
    ///
    /// Accepts only strings of printable ASCII without escapes, separated by nothing but commas: their text
    /// is their value, and what `JSON.stringify` would write.
    #[inline]
    pub(super) fn split_verbatim(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        if let Some(rest) = text.strip_prefix(b"]") {
            return Some((Self(Repr::Verbatim(b"")), rest));
        }
        let mut bytes = text.iter();
        loop {
            if bytes.next() != Some(&b'"') {
                return None;
            }
            while is_verbatim(*bytes.as_slice().first()?) {
                bytes.next();
            }
            if bytes.next() != Some(&b'"') {
                return None;
            }
            match bytes.next()? {
                b',' => {}
                b']' => {
                    let rest = bytes.as_slice();
                    let (elements, _) = text.split_at(text.len() - rest.len() - b"]".len());
                    return Some((Self(Repr::Verbatim(elements)), rest));
                }
                _ => return None,
            }
        }
    }

    /// Parses a JSON array of strings or numbers, of any length.
    pub(super) fn from_json(json: &'a str) -> Option<Self> {
        let ids = read_json(json, usize::MAX)?;
        Some(Self(Repr::Decoded(ids.list)))
    }

    fn check_limits(&self) -> Result<(), RoleIdsError> {
        for (position, id) in (1..).zip(self.iter()) {
            if position > MAX_ROLE_IDS {
                return Err(RoleIdsError::TooMany);
            }
            if id.is_empty() {
                return Err(RoleIdsError::EmptyId { position });
            }
            if id.len() > MAX_ROLE_ID_BYTES {
                return Err(RoleIdsError::IdTooLong { position });
            }
        }
        Ok(())
    }

    /// The ids in order, as UTF-8 bytes.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        match &self.0 {
            Repr::Verbatim(elements) => Iter::Verbatim(elements),
            Repr::Decoded(ids) => Iter::Decoded(ids.iter()),
        }
    }

    /// How many ids there are.
    pub fn count(&self) -> usize {
        match &self.0 {
            Repr::Verbatim(_) => self.iter().count(),
            Repr::Decoded(ids) => ids.len(),
        }
    }

    /// The elements of the ids' JSON array, without its brackets, as `JSON.stringify` writes them.
    pub(super) fn json_elements(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Repr::Verbatim(elements) => Cow::Borrowed(elements),
            Repr::Decoded(ids) => Cow::Owned(encode_elements(ids)),
        }
    }
}

/// Lists are equal if they hold the same ids in the same order, however they were read.
impl PartialEq for RoleIds<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

enum Iter<'a> {
    /// The elements that are left of [`Repr::Verbatim`].
    Verbatim(&'a [u8]),
    Decoded(slice::Iter<'a, Cow<'a, str>>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[expect(clippy::expect_used, reason = "`split_verbatim` has seen the closing quote of every id")]
    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Self::Verbatim(elements) => {
                let text = elements.strip_prefix(b"\"")?;
                let end = text.iter().position(|&byte| byte == b'"').expect("a closing quote");
                let (id, rest) = text.split_at(end);
                // No comma follows the last id.
                *elements = rest.strip_prefix(b"\",").unwrap_or_default();
                Some(id)
            }
            Self::Decoded(ids) => ids.next().map(|id| id.as_bytes()),
        }
    }
}

/// Whether a byte stands for itself in a JSON string, and is ASCII.
const fn is_verbatim(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// The first `max` ids of a JSON array of strings or numbers.
fn read_json(json: &str, max: usize) -> Option<Elements<Cow<'_, str>>> {
    read_elements(json, max, |id| decode_text(id).ok_or(None::<()>)).ok()
}

/// The first ids of a comma list, as many as a caller may pass, and whether there are more: then the rest
/// isn't read.
fn read_comma_list(text: &str) -> Result<(Vec<Cow<'_, str>>, bool), RoleIdsError> {
    let mut list = text.split(',');
    let ids = (1..).zip(list.by_ref().take(MAX_ROLE_IDS)).map(|(position, id)| {
        if id.chars().any(|c| c.is_whitespace() || c.is_control() || "\"[]{}".contains(c)) {
            Err(RoleIdsError::NotForCommaList { position })
        } else {
            Ok(Cow::Borrowed(id))
        }
    });
    let ids = ids.collect::<Result<_, _>>()?;
    Ok((ids, list.next().is_some()))
}

/// Why JSON that is no array is refused, where it could be taken for one; `None` if the text is no such JSON.
fn other_json(text: &str) -> Option<RoleIdsError> {
    let error = match text.trim_start().bytes().next()? {
        b'{' => RoleIdsError::JsonObject,
        b'"' => RoleIdsError::JsonString,
        _ => return None,
    };
    serde_json::from_str::<&RawValue>(text).is_ok().then_some(error)
}

#[expect(clippy::expect_used, reason = "serializing a string to memory can't fail")]
fn encode_elements(ids: &[Cow<'_, str>]) -> Vec<u8> {
    let mut json = Vec::new();
    for id in ids {
        if !json.is_empty() {
            json.push(b',');
        }
        serde_json::to_writer(&mut json, id).expect("a string serializes");
    }
    json
}

/// Why a caller's role ids are refused. Positions count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RoleIdsError {
    #[error("expected a JSON array like [\"3\",\"7\"], or a comma list like 3,7, not an empty text")]
    Empty,
    #[error("expected at most {MAX_TEXT_BYTES} bytes")]
    TooLong,
    #[error("expected UTF-8")]
    NotUtf8,
    #[error("expected a JSON array of strings or numbers, like [\"3\",\"7\"]")]
    NotAnArray,
    #[error("expected a JSON array of role ids, like [\"3\",\"7\"], not a JSON object")]
    JsonObject,
    #[error("expected a JSON array of role ids, like [\"3\",\"7\"], not a JSON string")]
    JsonString,
    #[error("expected at most {MAX_ROLE_IDS} ids")]
    TooMany,
    #[error("id {position} is empty")]
    EmptyId { position: usize },
    #[error("id {position} is longer than {MAX_ROLE_ID_BYTES} bytes")]
    IdTooLong { position: usize },
    #[error("id {position} has a character that a comma list can't carry: pass a JSON array")]
    NotForCommaList { position: usize },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(argument: &str) -> Result<Vec<String>, RoleIdsError> {
        let ids = RoleIds::parse(argument.as_bytes())?;
        let list: Vec<String> = ids.iter().map(|id| String::from_utf8(id.to_vec()).unwrap()).collect();
        assert_eq!(ids.count(), list.len());
        Ok(list)
    }

    #[test]
    fn parses_json_arrays_and_comma_lists() {
        let cases: &[(&str, &[&str])] = &[
            ("[]", &[]),
            (" [ ] ", &[]),
            (r#"["3","7"]"#, &["3", "7"]),
            (r#"[ "3" , "7" ]"#, &["3", "7"]),
            (r#"["a,b","c d"]"#, &["a,b", "c d"]),
            (r#"["\"","\\","\u0000","\u00e9"]"#, &["\"", "\\", "\0", "é"]),
            ("[\"Ā\",\"😀\"]", &["Ā", "😀"]),
            ("[3,-7,1.50,1e3]", &["3", "-7", "1.50", "1e3"]),
            ("[9007199254740993]", &["9007199254740993"]),
            (r#"["3",7]"#, &["3", "7"]),
            ("3", &["3"]),
            ("3,7", &["3", "7"]),
            ("admin,Ā", &["admin", "Ā"]),
            (r"%s%n", &["%s%n"]),
        ];
        for (argument, expected) in cases {
            assert_eq!(ids(argument).unwrap(), *expected, "{argument}");
        }
    }

    #[test]
    fn refuses_everything_else_with_the_position() {
        use RoleIdsError::*;
        let longest = "x".repeat(MAX_ROLE_ID_BYTES);
        let many = |count| vec!["\"1\""; count].join(",");
        let cases = [
            (String::new(), Empty),
            ("[".to_owned(), NotAnArray),
            ("[\"3\"".to_owned(), NotAnArray),
            ("[\"3\",]".to_owned(), NotAnArray),
            ("[\"3\"] x".to_owned(), NotAnArray),
            ("[[\"3\"]]".to_owned(), NotAnArray),
            ("[{}]".to_owned(), NotAnArray),
            ("[null]".to_owned(), NotAnArray),
            ("[true]".to_owned(), NotAnArray),
            ("[03]".to_owned(), NotAnArray),
            ("[\"\\ud800\"]".to_owned(), NotAnArray),
            ("[\"a\u{1}\"]".to_owned(), NotAnArray),
            ("[".repeat(100_000), NotAnArray),
            ("[\"\"]".to_owned(), EmptyId { position: 1 }),
            ("[\"3\",\"\"]".to_owned(), EmptyId { position: 2 }),
            (",".to_owned(), EmptyId { position: 1 }),
            ("3,".to_owned(), EmptyId { position: 2 }),
            ("3, 7".to_owned(), NotForCommaList { position: 2 }),
            ("\"3\"".to_owned(), JsonString),
            (" \"3,7\" ".to_owned(), JsonString),
            ("\"3\",\"7\"".to_owned(), NotForCommaList { position: 1 }),
            ("3,7]".to_owned(), NotForCommaList { position: 2 }),
            ("{\"a\":1}".to_owned(), JsonObject),
            (" {\"roleIds\":[\"3\",\"7\"]}".to_owned(), JsonObject),
            ("{\"a\":1".to_owned(), NotForCommaList { position: 1 }),
            ("{3,7}".to_owned(), NotForCommaList { position: 1 }),
            ("3\0".to_owned(), NotForCommaList { position: 1 }),
            (format!("[\"{longest}x\"]"), IdTooLong { position: 1 }),
            (format!("3,{longest}x"), IdTooLong { position: 2 }),
            (format!("[{}]", many(MAX_ROLE_IDS + 1)), TooMany),
            (format!("[ {}]", many(MAX_ROLE_IDS + 1)), TooMany),
            (" ".repeat(MAX_TEXT_BYTES + 1), TooLong),
            // What comes after as many as may be passed isn't read, but those before are checked.
            (format!("[{},7,null,x", many(MAX_ROLE_IDS)), TooMany),
            (format!("[ {},[]]", many(MAX_ROLE_IDS)), TooMany),
            (format!("[ {},", many(MAX_ROLE_IDS)), NotAnArray),
            (format!("[{},\"\",{},x", many(1), many(MAX_ROLE_IDS)), EmptyId { position: 2 }),
            (format!("[{},null,{},x", many(1), many(MAX_ROLE_IDS)), NotAnArray),
            (format!("{}, x,", many(MAX_ROLE_IDS).replace('"', "")), TooMany),
            (format!("3,,{}", many(MAX_ROLE_IDS).replace('"', "")), EmptyId { position: 2 }),
            (format!("3, ,{}", many(MAX_ROLE_IDS).replace('"', "")), NotForCommaList { position: 2 }),
        ];
        for (argument, expected) in cases {
            assert_eq!(ids(&argument), Err(expected), "{}", argument.get(..40).unwrap_or(&argument));
        }
        assert_eq!(RoleIds::parse(b"3,\xff").err(), Some(NotUtf8));
        assert_eq!(RoleIds::parse(b"[\"\xff\"]").err(), Some(NotUtf8));
        assert!(ids(&format!("[\"{longest}\"]")).is_ok());
        assert!(ids(&format!("[{}]", many(MAX_ROLE_IDS))).is_ok());
    }

    proptest! {
        #[test]
        fn verbatim_ids_agree_with_serde_json(text in r#"\[?("[a-z0-9, \\"\[\]Ā]{0,3}"[,\]]{0,2}){0,4}\]?"#) {
            let split = text.as_bytes().strip_prefix(b"[").and_then(RoleIds::split_verbatim);
            if let Some((verbatim, b"")) = split {
                let decoded = RoleIds::from_json(&text).unwrap();
                prop_assert_eq!(&verbatim, &decoded);
                prop_assert_eq!(verbatim.json_elements(), decoded.json_elements());
            }
        }

        #[test]
        fn json_round_trips_every_list_of_strings(list in proptest::collection::vec("\\PC{1,8}|[\\x00-\\x7f]{1,8}", 0..6)) {
            let json = serde_json::to_string(&list).unwrap();
            prop_assert_eq!(ids(&json).unwrap(), list);
            let read = RoleIds::parse(json.as_bytes()).unwrap();
            let written = [b"[", &*read.json_elements(), b"]"].concat();
            prop_assert_eq!(written, json.as_bytes());
        }
    }
}
