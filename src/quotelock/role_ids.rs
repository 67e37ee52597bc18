//! The role ids of a lock: as a caller gives them, and as JSON.

use std::borrow::Cow;
use std::{fmt, slice};

use serde_json::value::RawValue;

/// The most role ids a caller may give.
pub const MOST_ROLE_IDS: usize = 1024;

/// The longest role id a caller may give, in bytes.
pub const LONGEST_ROLE_ID: usize = 256;

/// The longest text that is read, in bytes, as role ids or as a stored lock: the most role ids of the greatest length,
/// each byte escaped, take three quarters of it.
pub const LONGEST_TEXT: usize = 2 * 1024 * 1024;

/// A list of role ids.
#[derive(Clone, Debug)]
pub enum RoleIds<'a> {
    /// What stands between the brackets of a JSON array of plain strings (see [`split_plain`]), as `"3","7"`: no
    /// allocation to read, one copy to write.
    Plain(&'a [u8]),
    /// Any other list.
    Listed(Vec<Cow<'a, str>>),
}

impl<'a> RoleIds<'a> {
    /// Reads the role ids a caller gives: a JSON array of strings or numbers, or a comma list.
    ///
    /// A number becomes the string of its digits as written. Errors name the id at fault, counted from 1.
    pub fn parse(argument: &'a [u8]) -> Result<Self, RoleIdsError> {
        if argument.is_empty() {
            return Err(RoleIdsError::Empty);
        }
        if argument.len() > LONGEST_TEXT {
            return Err(RoleIdsError::TooLong);
        }
        let ids = match argument.strip_prefix(b"[").and_then(split_plain) {
            Some((plain, b"")) => Self::Plain(plain),
            _ => {
                let text = std::str::from_utf8(argument).map_err(|_| RoleIdsError::NotUtf8)?;
                if text.trim_start().starts_with('[') {
                    Self::from_json(text).ok_or(RoleIdsError::NotAnArray)?
                } else {
                    Self::from_comma_list(text)?
                }
            }
        };
        ids.check_bounds()?;
        Ok(ids)
    }

    /// Reads a JSON array of strings or numbers; `None` for anything else.
    pub(super) fn from_json(json: &'a str) -> Option<Self> {
        let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        let ids: Option<Vec<_>> = elements.into_iter().map(|id| role_id(id.get())).collect();
        ids.map(Self::Listed)
    }

    fn from_comma_list(text: &'a str) -> Result<Self, RoleIdsError> {
        let ids = text.split(',').enumerate().map(|(index, id)| {
            if id.chars().any(|c| c.is_whitespace() || c.is_control() || "\"[]{}".contains(c)) {
                Err(RoleIdsError::NotForCommaList { position: index.saturating_add(1) })
            } else {
                Ok(Cow::Borrowed(id))
            }
        });
        ids.collect::<Result<_, _>>().map(Self::Listed)
    }

    fn check_bounds(&self) -> Result<(), RoleIdsError> {
        for (index, id) in self.iter().enumerate() {
            let position = index.saturating_add(1);
            if position > MOST_ROLE_IDS {
                return Err(RoleIdsError::TooMany);
            }
            if id.is_empty() {
                return Err(RoleIdsError::EmptyId { position });
            }
            if id.len() > LONGEST_ROLE_ID {
                return Err(RoleIdsError::IdTooLong { position });
            }
        }
        Ok(())
    }

    /// The ids in order, as UTF-8 bytes.
    pub fn iter(&self) -> Ids<'_> {
        match self {
            Self::Plain(plain) => Ids::Plain(plain),
            Self::Listed(ids) => Ids::Listed(ids.iter()),
        }
    }

    /// How many ids there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Plain(plain) => Ids::Plain(plain).count(),
            Self::Listed(ids) => ids.len(),
        }
    }

    /// What stands between the brackets of the ids' JSON array, just as `JSON.stringify` writes an array of strings.
    pub(super) fn json(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Plain(plain) => Cow::Borrowed(plain),
            Self::Listed(ids) => {
                let mut json = Vec::new();
                for id in ids {
                    if !json.is_empty() {
                        json.push(b',');
                    }
                    // Writing a string to memory has no way to fail.
                    let _ = serde_json::to_writer(&mut json, id);
                }
                Cow::Owned(json)
            }
        }
    }
}

/// Lists are equal when they hold the same ids in the same order, however they were read.
impl PartialEq for RoleIds<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Splits `"3","7"]…`, the inside of a JSON array and what follows, into the ids as they stand and the rest. `None`
/// unless they are strings of printable ASCII without escapes, with nothing but commas between them: then the ids'
/// text is at once their value and what `JSON.stringify` writes.
#[inline]
pub(super) fn split_plain(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(rest) = text.strip_prefix(b"]") {
        return Some((b"", rest));
    }
    let mut bytes = text.iter();
    loop {
        if bytes.next() != Some(&b'"') {
            return None;
        }
        while is_plain(*bytes.as_slice().first()?) {
            bytes.next();
        }
        if bytes.next() != Some(&b'"') {
            return None;
        }
        match bytes.next()? {
            b',' => {}
            b']' => {
                let rest = bytes.as_slice();
                // What is left of the text without the bracket and the rest.
                let ids = text.len().checked_sub(rest.len())?.checked_sub(1)?;
                return Some((text.get(..ids)?, rest));
            }
            _ => return None,
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// The ids of a list, in order.
pub enum Ids<'a> {
    /// What [`split_plain`] gave.
    Plain(&'a [u8]),
    /// The rest of a list.
    Listed(slice::Iter<'a, Cow<'a, str>>),
}

impl<'a> Iterator for Ids<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Self::Plain(plain) => {
                let text = plain.strip_prefix(b"\"")?;
                let end = text.iter().position(|&byte| byte == b'"')?;
                let (id, rest) = text.split_at_checked(end)?;
                *plain = rest.strip_prefix(b"\",").unwrap_or_default();
                Some(id)
            }
            Self::Listed(ids) => ids.next().map(|id| id.as_bytes()),
        }
    }
}

/// The role id that a JSON string or number stands for; `None` for any other JSON value.
fn role_id(json: &str) -> Option<Cow<'_, str>> {
    match json.bytes().next()? {
        // Without escapes the string is borrowed, else it is decoded.
        b'"' => serde_json::from_str(json)
            .map(Cow::Borrowed)
            .or_else(|_| serde_json::from_str(json).map(Cow::Owned))
            .ok(),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(json)),
        _ => None,
    }
}

/// Why a caller's role ids are refused. Positions count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it; the wording is below")]
pub enum RoleIdsError {
    Empty,
    TooLong,
    NotUtf8,
    NotAnArray,
    TooMany,
    EmptyId { position: usize },
    IdTooLong { position: usize },
    NotForCommaList { position: usize },
}

impl fmt::Display for RoleIdsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("they are empty: give a JSON array as [\"3\",\"7\"], or a comma list as 3,7")
            }
            Self::TooLong => write!(f, "they are longer than {LONGEST_TEXT} bytes"),
            Self::NotUtf8 => f.write_str("they must be UTF-8"),
            Self::NotAnArray => {
                f.write_str("they must be a JSON array of strings or numbers, as [\"3\",\"7\"]")
            }
            Self::TooMany => write!(f, "there are more than {MOST_ROLE_IDS}"),
            Self::EmptyId { position } => write!(f, "id {position} is empty"),
            Self::IdTooLong { position } => {
                write!(f, "id {position} is longer than {LONGEST_ROLE_ID} bytes")
            }
            Self::NotForCommaList { position } => {
                write!(f, "id {position} has a character that a comma list can't carry: give a JSON array")
            }
        }
    }
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
    fn takes_json_arrays_and_comma_lists() {
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
    fn refuses_the_rest_and_names_the_id_at_fault() {
        use RoleIdsError::*;
        let longest = "x".repeat(LONGEST_ROLE_ID);
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
            ("\"3\"".to_owned(), NotForCommaList { position: 1 }),
            ("3,7]".to_owned(), NotForCommaList { position: 2 }),
            ("{\"a\":1}".to_owned(), NotForCommaList { position: 1 }),
            ("3\0".to_owned(), NotForCommaList { position: 1 }),
            (format!("[\"{longest}x\"]"), IdTooLong { position: 1 }),
            (format!("3,{longest}x"), IdTooLong { position: 2 }),
            (format!("[{}]", many(MOST_ROLE_IDS + 1)), TooMany),
            (format!("[ {}]", many(MOST_ROLE_IDS + 1)), TooMany),
            (" ".repeat(LONGEST_TEXT + 1), TooLong),
        ];
        for (argument, expected) in cases {
            assert_eq!(ids(&argument), Err(expected), "{}", argument.get(..40).unwrap_or(&argument));
        }
        assert_eq!(RoleIds::parse(b"3,\xff").err(), Some(NotUtf8));
        assert_eq!(RoleIds::parse(b"[\"\xff\"]").err(), Some(NotUtf8));
        assert!(ids(&format!("[\"{longest}\"]")).is_ok());
        assert!(ids(&format!("[{}]", many(MOST_ROLE_IDS))).is_ok());
    }

    proptest! {
        #[test]
        fn the_plain_way_in_agrees_with_serde_json(text in r#"\[?("[a-z0-9, \\"\[\]Ā]{0,3}"[,\]]{0,2}){0,4}\]?"#) {
            if let Some((plain, b"")) = text.as_bytes().strip_prefix(b"[").and_then(split_plain) {
                let read = RoleIds::from_json(&text).unwrap();
                prop_assert_eq!(&RoleIds::Plain(plain), &read);
                let plain = RoleIds::Plain(plain);
                prop_assert_eq!(plain.json(), read.json());
            }
        }

        #[test]
        fn every_list_of_strings_survives_json(list in proptest::collection::vec("\\PC{1,8}|[\\x00-\\x7f]{1,8}", 0..6)) {
            let json = serde_json::to_string(&list).unwrap();
            prop_assert_eq!(ids(&json).unwrap(), list);
            let read = RoleIds::parse(json.as_bytes()).unwrap();
            let written = [b"[", &*read.json(), b"]"].concat();
            prop_assert_eq!(written, json.as_bytes());
        }
    }
}
