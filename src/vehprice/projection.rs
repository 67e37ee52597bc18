//! Which fields of a row are answered, and how: `FIELDS`, `JSON` and `RAW`.

use quotelock_core::json::JsonWriter;
use quotelock_core::table::Row;
use quotelock_server::{Arg, Call};
use serde::de::IgnoredAny;

use super::fields::counted_fields;
use crate::args::{ArgCursor, Exclusive};
use crate::error::Error;

const FIELD_PARTS: &[Arg] = &[
    Arg::integer("numfields", "how many fields are named"),
    Arg::string("field", "the name of a field").multiple(),
];
pub(super) const FIELDS_ARG: Arg = Arg::block("fields", FIELD_PARTS).after("FIELDS").optional();
pub(super) const JSON_RAW_ARG: Arg = Arg::block(
    "json-raw",
    &[
        Arg::pure_token("JSON", "json", "answer one bulk string of JSON"),
        Arg::block("raw", FIELD_PARTS).after("RAW").optional(),
    ],
)
.optional();

/// How rows are answered.
pub(super) struct Projection<'a> {
    fields: Exclusive<()>,
    json: Exclusive<()>,
    raw: Exclusive<()>,
    /// The names of `FIELDS`, in the order asked.
    names: Vec<&'a str>,
    /// Those of `RAW`.
    raw_names: Vec<&'a str>,
}

impl<'a> Projection<'a> {
    /// Whole rows, as maps.
    pub(super) const fn whole() -> Self {
        Self {
            fields: Exclusive::unset(),
            json: Exclusive::unset(),
            raw: Exclusive::unset(),
            names: Vec::new(),
            raw_names: Vec::new(),
        }
    }

    /// Reads a projection to the end of the arguments.
    pub(super) fn parse(mut args: ArgCursor<'a, impl Iterator<Item = &'a [u8]>>) -> Result<Self, Error> {
        let mut projection = Self::whole();
        while args.advance() {
            projection.take_word(&mut args)?;
        }
        projection.check()?;
        Ok(projection)
    }

    /// Takes the word read last, if it is one of a projection's.
    pub(super) fn take_word<I>(&mut self, args: &mut ArgCursor<'a, I>) -> Result<(), Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if args.is("FIELDS") {
            self.names = counted_fields(args, "FIELDS")?;
            self.fields.set("FIELDS", ())
        } else if args.is("JSON") {
            self.json.set("JSON", ())
        } else if args.is("RAW") {
            self.raw_names = counted_fields(args, "RAW")?;
            self.raw.set("RAW", ())
        } else {
            Err(args.unknown())
        }
    }

    /// Must be called when all words were taken.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.raw.is_set() && !self.is_json() { Err(Error::RawWithoutJson) } else { Ok(()) }
    }

    /// The fields of `FIELDS`, in the order asked.
    pub(super) fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// Whether the reply is JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json.is_set()
    }

    /// Answers a row: a map, or with `FIELDS` the values in order; nil if there is none.
    pub(super) fn reply(&self, call: &Call<'_>, row: Option<Row<'_>>) {
        let Some(row) = row else {
            return call.reply_nil();
        };
        if self.fields.is_set() {
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

    /// Writes a row as a JSON object, `null` if there is none.
    #[inline]
    pub(super) fn write_json(&self, row: Option<Row<'_>>, out: &mut JsonWriter) {
        let Some(row) = row else {
            return out.write_raw(b"null");
        };
        // The reply will be refused.
        if out.is_too_long() {
            return;
        }
        if !self.fields.is_set() && !self.raw.is_set() {
            row.write_json(out);
        } else {
            self.write_part(row, out);
        }
    }

    /// Writes the fields of `FIELDS`, and some of them as the JSON they hold.
    #[inline(never)]
    fn write_part(&self, row: Row<'_>, out: &mut JsonWriter) {
        if self.fields.is_set() {
            let fields = self.names.iter().map(|name| (*name, row.value(name.as_bytes())));
            self.write_fields(fields, out);
        } else {
            self.write_fields(row.fields().map(|(name, value)| (name, Some(value))), out);
        }
    }

    /// Writes fields, one at least, as a JSON object.
    fn write_fields<'f>(
        &self,
        fields: impl Iterator<Item = (&'f str, Option<&'f [u8]>)>,
        out: &mut JsonWriter,
    ) {
        let mut separator = "{\"";
        for (name, value) in fields {
            out.write_raw(separator.as_bytes());
            separator = ",\"";
            out.write_escaped(name.as_bytes());
            out.write_raw(b"\":");
            match value {
                None => out.write_raw(b"null"),
                Some(json) if self.raw_names.contains(&name) && is_json(json) => out.write_raw(json),
                Some(text) => {
                    out.write_raw(b"\"");
                    out.write_escaped(text);
                    out.write_raw(b"\"");
                }
            }
        }
        out.write_raw(b"}");
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}
