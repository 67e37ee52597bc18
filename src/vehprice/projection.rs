//! Which fields of a row are answered, and how: `FIELDS`, `JSON`, `RAW` and `COLUMNS`.

use std::cell::RefCell;

use quotelock_core::json::JsonWriter;
use quotelock_core::table::bounds::MAX_FIELDS;
use quotelock_core::table::{ByShape, ColumnsWriter, Row, Shape};
use quotelock_server::Arg;
use serde::de::IgnoredAny;

use super::fields::counted_fields;
use crate::args::{ArgCursor, Exclusive};
use crate::error::Error;
use crate::reply::{MAX_HEAD_BYTES, MAX_STRING_HEAD_BYTES, ReplySink};
use crate::settings::max_reply_bytes;

const FIELD_PARTS: &[Arg] = &[
    Arg::integer("numfields", "the number of fields named"),
    Arg::string("field", "the name of a field").multiple(),
];
pub(super) const FIELDS_ARG: Arg = Arg::block("fields", FIELD_PARTS).after("FIELDS").optional();
const JSON_RAW: Arg = Arg::block(
    "json-raw",
    &[
        Arg::pure_token("JSON", "json", "reply with one bulk string of JSON"),
        Arg::block("raw", FIELD_PARTS).after("RAW").optional(),
    ],
);
pub(super) const JSON_RAW_ARG: Arg = JSON_RAW.optional();
pub(super) const FORMAT_ARG: Arg = Arg::one_of(
    "format",
    &[
        JSON_RAW,
        Arg::pure_token("COLUMNS", "columns", "reply with JSON that has an array of values for each field"),
    ],
)
.optional();

/// In which form rows are answered, if not as arrays and maps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// A JSON object for each row.
    Json,
    /// JSON with an array of values for each field.
    Columns,
}

/// How rows are answered.
pub(super) struct Projection<'a> {
    fields: Exclusive<()>,
    format: Exclusive<Format>,
    raw: Exclusive<()>,
    /// The names of `FIELDS`, in the order asked.
    names: Vec<&'a str>,
    /// Those of `RAW`.
    raw_names: Vec<&'a str>,
    /// Where the answered fields are in rows of each shape.
    places: RefCell<ByShape<Vec<FieldPlace>>>,
    /// Made when it is first needed.
    sorted: RefCell<Option<Sorted<'a>>>,
}

impl<'a> Projection<'a> {
    /// Whole rows, as maps.
    pub(super) fn whole() -> Self {
        Self {
            fields: Exclusive::unset(),
            format: Exclusive::unset(),
            raw: Exclusive::unset(),
            names: Vec::new(),
            raw_names: Vec::new(),
            places: RefCell::new(ByShape::new()),
            sorted: RefCell::new(None),
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
            self.format.set("JSON", Format::Json)
        } else if args.is("RAW") {
            self.raw_names = counted_fields(args, "RAW")?;
            self.raw.set("RAW", ())
        } else {
            Err(args.unknown())
        }
    }

    /// The same for commands that answer columns too.
    pub(super) fn take_word_or_columns<I>(&mut self, args: &mut ArgCursor<'a, I>) -> Result<(), Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if args.is("COLUMNS") { self.format.set("COLUMNS", Format::Columns) } else { self.take_word(args) }
    }

    /// Must be called when all words were taken.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.raw.is_set() && !self.is_json() { Err(Error::RawWithoutJson) } else { Ok(()) }
    }

    /// Must be called too where columns are answered of fields that are named only.
    pub(super) fn check_columns(&self) -> Result<(), Error> {
        if self.is_columns() && !self.fields.is_set() { Err(Error::ColumnsWithoutFields) } else { Ok(()) }
    }

    /// The fields of `FIELDS`, in the order asked.
    pub(super) fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// Whether the reply is JSON with an object for each row.
    pub(super) fn is_json(&self) -> bool {
        self.format.value() == Some(Format::Json)
    }

    /// Whether the reply is JSON by column.
    pub(super) fn is_columns(&self) -> bool {
        self.format.value() == Some(Format::Columns)
    }

    /// A writer of the columns of `FIELDS`.
    pub(super) fn columns(&self) -> ColumnsWriter<'a> {
        ColumnsWriter::new(&self.names, max_reply_bytes())
    }

    /// Whether `FIELDS` was given.
    pub(super) fn has_fields(&self) -> bool {
        self.fields.is_set()
    }

    /// Answers a row: a map, or with `FIELDS` the values in order; nil if there is none.
    pub(super) fn reply(&self, to: &impl ReplySink, row: Option<Row<'_>>) {
        let Some(row) = row else {
            return to.reply_nil();
        };
        if self.fields.is_set() {
            to.reply_array(self.names.len());
            return self.each_field(row, |_, value, _| match value {
                Some(value) => to.reply_bytes(value),
                None => to.reply_nil(),
            });
        }
        to.reply_map(row.shape().len());
        for (name, value) in row.fields() {
            to.reply_bytes(name.as_bytes());
            to.reply_bytes(value);
        }
    }

    /// Answers an array of rows.
    pub(super) fn reply_each(&self, to: &impl ReplySink, rows: &[Option<Row<'_>>]) {
        to.reply_array(rows.len());
        for row in rows {
            if to.is_too_long() {
                return;
            }
            self.reply(to, *row);
        }
    }

    /// The most bytes that [`Self::reply_each`] sends.
    pub(super) fn max_each_len(&self, rows: &[Option<Row<'_>>]) -> usize {
        MAX_HEAD_BYTES + rows.iter().map(|row| self.max_reply_len(*row)).sum::<usize>()
    }

    /// The most bytes that [`Self::reply`] sends, without a look at each value.
    pub(super) fn max_reply_len(&self, row: Option<Row<'_>>) -> usize {
        let Some(row) = row else {
            return MAX_HEAD_BYTES;
        };
        let strings = if self.fields.is_set() {
            self.names.len() * (MAX_STRING_HEAD_BYTES + row.len())
        } else {
            // The names are never longer than the JSON around the values.
            let shape = row.shape();
            shape.len() * 2 * MAX_STRING_HEAD_BYTES + shape.json_bytes() + row.len()
        };
        MAX_HEAD_BYTES + strings
    }

    /// The least bytes that [`Self::write_json`] writes, without a look at each value.
    pub(super) fn min_json_len(&self, row: Option<Row<'_>>) -> usize {
        match row {
            None => "null".len(),
            Some(_) if self.fields.is_set() => {
                self.names.iter().map(|name| MIN_FIELD_BYTES + name.len()).sum::<usize>() + "}".len()
            }
            // `RAW` leaves out two quotes.
            Some(row) => row.min_json_len().saturating_sub(self.raw_names.len() * 2),
        }
    }

    /// The least bytes that a row takes in JSON by column, without a look at each value.
    pub(super) fn min_column_len(&self, row: Row<'_>) -> usize {
        const ROW_HEAD: usize = 16;

        if self.fields.is_set() {
            self.names.len() * MIN_ELEMENT_BYTES
        } else {
            row.len().saturating_sub(ROW_HEAD)
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

    /// Writes the fields of `FIELDS`, or all, and those of `RAW` as the JSON they hold.
    #[inline(never)]
    fn write_part(&self, row: Row<'_>, out: &mut JsonWriter) {
        let mut separator = "{\"";
        self.each_field(row, |name, value, is_raw| {
            out.write_raw(separator.as_bytes());
            separator = ",\"";
            out.write_escaped(name.as_bytes());
            out.write_raw(b"\":");
            match value {
                None => out.write_raw(b"null"),
                Some(json) if is_raw && is_json(json) => out.write_raw(json),
                Some(text) => {
                    out.write_raw(b"\"");
                    out.write_escaped(text);
                    out.write_raw(b"\"");
                }
            }
        });
        out.write_raw(b"}");
    }

    /// Visits the fields that are answered of a row, in order: name, value, and whether `RAW` names it.
    pub(super) fn each_field<'t>(&self, row: Row<'t>, mut visit: impl FnMut(&str, Option<&'t [u8]>, bool)) {
        let places = &mut *self.places.borrow_mut();
        let places = places.get(row.shape(), |shape| self.find_places(shape));
        let mut values = [None; MAX_FIELDS];
        values.iter_mut().zip(row.values()).for_each(|(place, value)| *place = Some(value));
        let value = |field: &FieldPlace| values.get(field.place?).copied().flatten();
        if self.fields.is_set() {
            let named = self.names.iter().zip(places);
            named.for_each(|(name, field)| visit(name, value(field), field.is_raw));
        } else {
            let named = row.shape().names().zip(places);
            named.for_each(|(name, field)| visit(name, value(field), field.is_raw));
        }
    }

    /// Finds the answered fields in rows of this shape, at a cost in proportion to both.
    fn find_places(&self, shape: &Shape) -> Vec<FieldPlace> {
        let mut sorted = self.sorted.borrow_mut();
        let Sorted { names, raw_names } = sorted.get_or_insert_with(|| {
            let mut names: Vec<_> = self.names.iter().copied().zip(0..).collect();
            let mut raw_names = self.raw_names.clone();
            names.sort_unstable();
            raw_names.sort_unstable();
            Sorted { names, raw_names }
        });
        let is_raw = |name: &str| raw_names.binary_search(&name).is_ok();
        if !self.fields.is_set() {
            let own = shape.names().zip(0..);
            return own
                .map(|(name, place)| FieldPlace { place: Some(place), is_raw: is_raw(name) })
                .collect();
        }
        let mut places: Vec<_> =
            self.names.iter().map(|name| FieldPlace { place: None, is_raw: is_raw(name) }).collect();
        for (own, place) in shape.names().zip(0..) {
            let first = names.partition_point(|(name, _)| *name < own);
            // A name may be asked for twice.
            for (_, field) in names.iter().skip(first).take_while(|(name, _)| *name == own) {
                if let Some(field) = places.get_mut(*field) {
                    field.place = Some(place);
                }
            }
        }
        places
    }
}

/// The names of `FIELDS` with their places, and those of `RAW`, in alphabetical order.
struct Sorted<'a> {
    names: Vec<(&'a str, usize)>,
    raw_names: Vec<&'a str>,
}

#[derive(Clone, Copy)]
struct FieldPlace {
    /// The place of the field in the row, if it has it.
    place: Option<usize>,
    is_raw: bool,
}

/// The least that an element of an array takes.
const MIN_ELEMENT_BYTES: usize = "\"\",".len();

/// The least that is written for a field, without its name.
const MIN_FIELD_BYTES: usize = "{\"\":0".len();

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}
