//! Which fields of a row are answered, and how: `FIELDS`, `JSON` and `RAW`.

use serde::de::IgnoredAny;

use super::field;
use crate::command::error::{Error, Range};
use crate::command::grammar::{Choice, Words};
use crate::server::{Arg, Call};
use crate::vehprice::bounds::MOST_FIELDS;
use crate::vehprice::{Json, Row};

const FIELD_PARTS: &[Arg] = &[
    Arg::integer("numfields", "how many fields are named"),
    Arg::string("field", "the name of a field").multiple(),
];
pub(super) const FIELDS_ARG: Arg = Arg::block("fields", FIELD_PARTS).after("FIELDS").optional();
pub(super) const JSON_RAW_ARG: Arg = Arg::block(
    "json-raw",
    &[
        Arg::word("JSON", "json", "answer one bulk string of JSON"),
        Arg::block("raw", FIELD_PARTS).after("RAW").optional(),
    ],
)
.optional();

/// How rows are answered.
pub(super) struct Projection<'a> {
    fields: Choice<()>,
    json: Choice<()>,
    raw: Choice<()>,
    /// The fields of `FIELDS`, as they came.
    names: Vec<&'a str>,
    /// Those of `RAW`.
    raw_names: Vec<&'a str>,
}

impl<'a> Projection<'a> {
    /// Whole rows, as maps.
    pub(super) const fn whole() -> Self {
        Self {
            fields: Choice::none(),
            json: Choice::none(),
            raw: Choice::none(),
            names: Vec::new(),
            raw_names: Vec::new(),
        }
    }

    /// Takes the word read last, if it is one of these.
    pub(super) fn take<I>(&mut self, words: &mut Words<'a, I>) -> Result<(), Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if words.is("FIELDS") {
            self.names = fields(words, "FIELDS")?;
            self.fields.take("FIELDS", ())
        } else if words.is("JSON") {
            self.json.take("JSON", ())
        } else if words.is("RAW") {
            self.raw_names = fields(words, "RAW")?;
            self.raw.take("RAW", ())
        } else {
            Err(words.unknown())
        }
    }

    /// To be called when all words were taken.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.raw.value().is_some() && !self.json() { Err(Error::RawWithoutJson) } else { Ok(()) }
    }

    /// The fields of `FIELDS`, in the order asked.
    pub(super) fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// Whether the answer is JSON.
    pub(super) fn json(&self) -> bool {
        self.json.value().is_some()
    }

    /// Answers a row: a map, or with `FIELDS` the values in order; nil where there is none.
    pub(super) fn reply(&self, call: &Call<'_>, row: Option<Row<'_>>) {
        let Some(row) = row else {
            return call.reply_nil();
        };
        if self.fields.value().is_some() {
            call.reply_array(self.names.len());
            for name in &self.names {
                match row.value(name.as_bytes()) {
                    Some(value) => call.reply_bytes(value),
                    None => call.reply_nil(),
                }
            }
            return;
        }
        call.reply_map(row.shape().names().len());
        for (name, value) in row.fields() {
            call.reply_bytes(name.as_bytes());
            call.reply_bytes(value);
        }
    }

    /// Writes a row as a JSON object, `null` where there is none.
    #[inline]
    pub(super) fn write_json(&self, row: Option<Row<'_>>, out: &mut Json) {
        let Some(row) = row else {
            return out.add(b"null");
        };
        // Of what is too long no more is put together: it will be refused.
        if out.is_too_long() {
            return;
        }
        if self.fields.value().is_none() && self.raw.value().is_none() {
            row.write_json(out);
        } else {
            self.write_part(row, out);
        }
    }

    /// Writes the fields of `FIELDS`, and some of them as the JSON they hold.
    #[inline(never)]
    fn write_part(&self, row: Row<'_>, out: &mut Json) {
        if self.fields.value().is_some() {
            let fields = self.names.iter().map(|name| (*name, row.value(name.as_bytes())));
            self.write_fields(fields, out);
        } else {
            self.write_fields(row.fields().map(|(name, value)| (name, Some(value))), out);
        }
    }

    /// Writes fields, one at least, as a JSON object.
    fn write_fields<'f>(&self, fields: impl Iterator<Item = (&'f str, Option<&'f [u8]>)>, out: &mut Json) {
        let mut before = "{\"";
        for (name, value) in fields {
            out.add(before.as_bytes());
            before = ",\"";
            out.add_escaped(name.as_bytes());
            out.add(b"\":");
            match value {
                None => out.add(b"null"),
                Some(json) if self.raw_names.contains(&name) && is_json(json) => out.add(json),
                Some(text) => {
                    out.add(b"\"");
                    out.add_escaped(text);
                    out.add(b"\"");
                }
            }
        }
        out.add(b"}");
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// How many fields, and then so many names.
fn fields<'a, I>(words: &mut Words<'a, I>, word: &'static str) -> Result<Vec<&'a str>, Error>
where
    I: Iterator<Item = &'a [u8]>,
{
    let count = words.integer(word, NUM_FIELDS)?;
    let mut names = Vec::new();
    for _ in 0..count {
        let name = words.argument().ok_or(Error::TooFewFields { word, fields: count })?;
        names.push(field(name)?);
    }
    Ok(names)
}

/// How many fields a row can have.
#[allow(clippy::as_conversions, reason = "64 is 64")]
pub(super) const NUM_FIELDS: Range = Range { unit: "a number of fields", least: 1, most: MOST_FIELDS as i64 };
