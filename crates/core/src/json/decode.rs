//! Reading JSON of any form by serde_json.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The first elements of a JSON array, and whether there are more.
pub(crate) struct Elements<T> {
    pub(crate) list: Vec<T>,
    /// There are more, which aren't read.
    pub(crate) more: bool,
}

/// The first `max` elements of a JSON array, each decoded by `decode`. Its error may be `None`: not of this form.
pub(crate) fn read_elements<'a, T, E>(
    json: &'a str,
    max: usize,
    mut decode: impl FnMut(&'a str) -> Result<T, Option<E>>,
) -> Result<Elements<T>, ReadError<E>> {
    struct Array<'s, F, T, E> {
        max: usize,
        decode: F,
        read: &'s mut Elements<T>,
        error: &'s mut Option<E>,
    }

    impl<'de, T, E, F: FnMut(&'de str) -> Result<T, Option<E>>> Visitor<'de> for Array<'_, F, T, E> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
            while let Some(element) = elements.next_element::<&RawValue>()? {
                if self.read.list.len() == self.max {
                    self.read.more = true;
                    break;
                }
                let decoded = (self.decode)(element.get());
                self.read.list.push(note(decoded, self.error)?);
            }
            Ok(())
        }
    }

    let (mut read, mut error) = (Elements { list: Vec::new(), more: false }, None);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let array = Array { max, decode: &mut decode, read: &mut read, error: &mut error };
    let end = deserializer.deserialize_seq(array).and_then(|()| deserializer.end());
    match end {
        // With more of them, that the array does not end there is no mistake of the caller's.
        Err(end) if !read.more => Err(ReadError::new(json, &end, error)),
        _ => Ok(read),
    }
}

/// Hands the members of a JSON object to `take`, each a name and the JSON of its value. Its error may be `None`: not
/// of this form.
pub(crate) fn read_members<'a, E>(
    json: &'a str,
    mut take: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), Option<E>>,
) -> Result<(), ReadError<E>> {
    struct Object<'s, F, E> {
        take: F,
        error: &'s mut Option<E>,
    }

    impl<'de, E, F: FnMut(Cow<'de, str>, &'de str) -> Result<(), Option<E>>> Visitor<'de> for Object<'_, F, E> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
            while let Some(Text(name)) = members.next_key()? {
                let value: &RawValue = members.next_value()?;
                note((self.take)(name, value.get()), self.error)?;
            }
            Ok(())
        }
    }

    let mut error = None;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let object = Object { take: &mut take, error: &mut error };
    let end = deserializer.deserialize_map(object).and_then(|()| deserializer.end());
    end.map_err(|end| ReadError::new(json, &end, error))
}

/// Why JSON could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadError<E> {
    /// The byte at which it shows, counted from 1.
    pub(crate) at: usize,
    /// What the caller found wrong with a part; `None` where it is not JSON, or not of this form.
    pub(crate) own: Option<E>,
}

impl<E> ReadError<E> {
    fn new(json: &str, error: &serde_json::Error, own: Option<E>) -> Self {
        // Lines count from 1, and columns are bytes.
        let lines = json.split_inclusive('\n').take(error.line().saturating_sub(1));
        Self { at: (lines.map(str::len).sum::<usize>() + error.column()).max(1), own }
    }
}

/// Keeps an error of the caller's own, which serde can't carry.
fn note<T, E, S: Error>(decoded: Result<T, Option<E>>, error: &mut Option<E>) -> Result<T, S> {
    decoded.map_err(|own| {
        *error = own;
        S::custom("")
    })
}

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;

        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(AnyText)
    }
}

/// The text of a JSON string, or a JSON number as it is written; `None` for any other value, and for a string
/// that is not Unicode.
pub(crate) fn decode_text(json: &str) -> Option<Cow<'_, str>> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str(json).map(|Text(text)| text).ok(),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(json)),
        _ => None,
    }
}

/// Whether a JSON value is null.
pub(crate) fn is_null(json: &str) -> bool {
    json == "null"
}
