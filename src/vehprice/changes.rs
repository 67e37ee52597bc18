//! `VEHPRICE.CHANGES`

use quotelock_core::json::{JsonWriter, TooLong};
use quotelock_core::table::bounds::MAX_ID_BYTES;
use quotelock_core::table::{self, Revision, Row, RowGroup, alike, sort_alike};
use quotelock_server::{Arg, Call, Command, Spec, excerpt, random_numbers};

use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, Projection};
use super::{KEY_ARG, READS, count_reads};
use crate::JSON_ARG;
use crate::args::ArgCursor;
use crate::counters::{CHANGES_ASKED, CHANGES_UNCHANGED, CHANGES_WHOLE, SIZES_CHANGES};
use crate::error::Error;
use crate::reply::{
    MAX_HEAD_BYTES, MAX_STRING_HEAD_BYTES, ReplySink, check_length, json_writer, reply_json, too_long,
};

/// Tells what to do to a copy of a table to have it as it is now.
pub(crate) struct Changes;

/// Where the revision is, and where the words begin.
const REVISION: usize = 2;
const WORDS: usize = 3;

impl Command for Changes {
    const SPEC: Spec = Spec {
        name: "vehprice.changes",
        summary: "Returns what has changed in a price table since a revision, to keep a copy of it up to date.",
        complexity: "O(N) where N is the number of rows written since, and O(1) if there are none",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: READS,
        args: &[
            KEY_ARG,
            Arg::string("revision", "the revision that the last call returned; 0 to start"),
            FIELDS_ARG,
            JSON_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (since, projection) = parse(call)?;
        let mut open = OpenTable::read(call)?;
        let now_ms = call.now_ms();
        let news = match open.table_mut() {
            Some(table) => News::of(table.changes(since, now_ms, new_history)),
            None => News::no_table(),
        };
        let is_unchanged = since.is_some_and(|since| news.revision == Some(since));
        if is_unchanged && projection.is_json() {
            reply_unchanged(call, now_ms)?;
            CHANGES_ASKED.count();
            CHANGES_UNCHANGED.count();
            SIZES_CHANGES.count(0);
            return Ok(());
        }
        let replied = reply(call, &news, now_ms, &projection);
        if replied.is_ok() {
            CHANGES_ASKED.count();
            CHANGES_WHOLE.add(usize::from(news.is_whole));
            CHANGES_UNCHANGED.add(usize::from(is_unchanged));
            count_reads(news.rows.len(), news.rows.len());
            SIZES_CHANGES.count(news.rows.len());
        }
        // A history may have begun.
        open.update_info();
        replied
    }
}

fn reply(call: &Call<'_>, news: &News<'_>, now_ms: i64, projection: &Projection<'_>) -> Result<(), Error> {
    if projection.is_json() {
        let mut json = json_writer(0);
        write_news(news, now_ms, projection, &mut json).map_err(too_long)?;
        return reply_json(call, &mut json);
    }
    let max_len = max_news_len(news, projection);
    check_length(max_len, |length| reply_news(length, news, now_ms, projection, count_columns))?;
    reply_news(call, news, now_ms, projection, reply_columns);
    Ok(())
}

/// Answers what most calls are answered, in JSON: that nothing has changed.
fn reply_unchanged(call: &Call<'_>, now_ms: i64) -> Result<(), Error> {
    let mut json = json_writer(0);
    let (revision, mut number) = (call.arg(REVISION), itoa::Buffer::new());
    let now = number.format(now_ms);
    for piece in [
        br#"{"revision":""#,
        revision,
        br#"","now":"#,
        now.as_bytes(),
        br#","whole":false,"groups":[],"deleted":[]}"#,
    ] {
        json.write_raw(piece);
    }
    reply_json(call, &mut json)
}

/// A random number by which the history of a table is known.
pub(super) fn new_history() -> u64 {
    let [number] = random_numbers();
    number
}

fn parse<'a>(call: &Call<'a>) -> Result<(Option<Revision>, Projection<'a>), Error> {
    let text = call.arg(REVISION);
    let since = Revision::parse(text).ok_or_else(|| Error::BadRevision(excerpt(text)))?;
    let mut projection = Projection::whole();
    let mut args = ArgCursor::new(Changes::SPEC.name, WORDS, call.args_from(WORDS));
    while args.advance() {
        if args.is("RAW") {
            return Err(args.unknown());
        }
        projection.take_word(&mut args)?;
    }
    Ok((since, projection))
}

/// What is answered.
struct News<'t> {
    /// `None` where there is no table.
    revision: Option<Revision>,
    is_whole: bool,
    /// Those of one group stand together.
    rows: Vec<Row<'t>>,
    deleted: Vec<&'t [u8]>,
}

impl<'t> News<'t> {
    fn of(changes: table::Changes<'t>) -> Self {
        let table::Changes { revision, is_whole, mut rows, deleted } = changes;
        sort_alike(&mut rows);
        Self { revision: Some(revision), is_whole, rows, deleted }
    }

    fn no_table() -> Self {
        Self { revision: None, is_whole: true, rows: Vec::new(), deleted: Vec::new() }
    }

    fn revision_text(&self) -> String {
        self.revision.map_or_else(|| Revision::NONE.to_owned(), |revision| revision.to_string())
    }
}

/// The fields that are told of a group: those that were asked for, or those its rows have.
fn fields<'f>(group: &RowGroup<'_, 'f>, projection: &'f Projection<'_>) -> Vec<&'f str> {
    if projection.has_fields() { projection.names().to_vec() } else { group.shape().names().collect() }
}

/// Answers a map; the columns of a group by `columns`.
fn reply_news<S: ReplySink>(
    to: &S,
    news: &News<'_>,
    now_ms: i64,
    projection: &Projection<'_>,
    columns: impl Fn(&S, &RowGroup<'_, '_>, usize, &Projection<'_>),
) {
    to.reply_map(5);
    to.reply_bytes(b"revision");
    to.reply_bytes(news.revision_text().as_bytes());
    to.reply_bytes(b"now");
    to.reply_integer(now_ms);
    to.reply_bytes(b"whole");
    to.reply_integer(i64::from(news.is_whole));
    to.reply_bytes(b"groups");
    to.reply_array(alike(&news.rows).count());
    for group in alike(&news.rows) {
        if to.is_too_long() {
            return;
        }
        reply_group(to, &group, projection, &columns);
    }
    to.reply_bytes(b"deleted");
    to.reply_array(news.deleted.len());
    news.deleted.iter().for_each(|id| to.reply_bytes(id));
}

fn reply_group<S: ReplySink>(
    to: &S,
    group: &RowGroup<'_, '_>,
    projection: &Projection<'_>,
    columns: impl Fn(&S, &RowGroup<'_, '_>, usize, &Projection<'_>),
) {
    to.reply_map(4);
    to.reply_bytes(b"expiresAt");
    match group.expiry().unix_ms() {
        Some(ms) => to.reply_integer(ms),
        None => to.reply_nil(),
    }
    let fields = fields(group, projection);
    to.reply_bytes(b"fields");
    to.reply_array(fields.len());
    fields.iter().for_each(|field| to.reply_bytes(field.as_bytes()));
    to.reply_bytes(b"ids");
    to.reply_array(group.rows().len());
    group.rows().iter().for_each(|row| to.reply_bytes(row.id()));
    to.reply_bytes(b"columns");
    to.reply_array(fields.len());
    columns(to, group, fields.len(), projection);
}

/// Answers this many columns of a group.
fn reply_columns(to: &impl ReplySink, group: &RowGroup<'_, '_>, count: usize, projection: &Projection<'_>) {
    let values = values(group, projection);
    for column in 0..count {
        to.reply_array(group.rows().len());
        values.iter().skip(column).step_by(count).for_each(|value| reply_value(to, *value));
    }
}

/// The same row by row, which is as long and needs no room for the values.
fn count_columns(to: &impl ReplySink, group: &RowGroup<'_, '_>, count: usize, projection: &Projection<'_>) {
    (0..count).for_each(|_| to.reply_array(group.rows().len()));
    for row in group.rows() {
        if to.is_too_long() {
            return;
        }
        projection.each_field(*row, |_, value, _| reply_value(to, value));
    }
}

fn reply_value(to: &impl ReplySink, value: Option<&[u8]>) {
    match value {
        Some(value) => to.reply_bytes(value),
        None => to.reply_nil(),
    }
}

/// The values of a group's rows, row by row.
fn values<'t>(group: &RowGroup<'_, 't>, projection: &Projection<'_>) -> Vec<Option<&'t [u8]>> {
    let mut values = Vec::new();
    for row in group.rows() {
        projection.each_field(*row, |_, value, _| values.push(value));
    }
    values
}

/// The most bytes that [`reply_news`] sends.
fn max_news_len(news: &News<'_>, projection: &Projection<'_>) -> usize {
    const AROUND_GROUP: usize = 256;

    // Each group tells the names that were asked for, and has a column for each. (Where none was, what a row
    // takes includes that.)
    let column_len = |name: &&str| MAX_STRING_HEAD_BYTES + name.len() + MAX_HEAD_BYTES;
    let group_len = AROUND_GROUP + projection.names().iter().map(column_len).sum::<usize>();
    let row_len = |row: &Row<'_>| MAX_ID_LEN + projection.max_reply_len(Some(*row));
    let rows: usize = news.rows.iter().map(row_len).sum();
    AROUND_GROUP + alike(&news.rows).count() * group_len + rows + news.deleted.len() * MAX_ID_LEN
}

/// The most bytes that an id takes.
const MAX_ID_LEN: usize = MAX_STRING_HEAD_BYTES + MAX_ID_BYTES;

/// Writes the same as JSON.
fn write_news(
    news: &News<'_>,
    now_ms: i64,
    projection: &Projection<'_>,
    json: &mut JsonWriter,
) -> Result<(), TooLong> {
    json.make_room(news.rows.iter().map(|row| projection.min_column_len(*row)))?;
    let (revision, whole) = (news.revision_text(), news.is_whole);
    json.write_raw(
        format!(r#"{{"revision":"{revision}","now":{now_ms},"whole":{whole},"groups":["#).as_bytes(),
    );
    let mut separator: &[u8] = b"";
    for group in alike(&news.rows) {
        if json.is_too_long() {
            return Err(TooLong);
        }
        json.write_raw(separator);
        separator = b",";
        write_group(&group, projection, json);
    }
    json.write_raw(b"],\"deleted\":");
    write_texts(news.deleted.iter().copied(), json);
    json.write_raw(b"}");
    Ok(())
}

fn write_group(group: &RowGroup<'_, '_>, projection: &Projection<'_>, json: &mut JsonWriter) {
    let expiry = group.expiry().unix_ms().map_or_else(|| "null".to_owned(), |ms| ms.to_string());
    let fields = fields(group, projection);
    json.write_raw(format!(r#"{{"expiresAt":{expiry},"fields":"#).as_bytes());
    write_texts(fields.iter().map(|field| field.as_bytes()), json);
    json.write_raw(b",\"ids\":");
    write_texts(group.rows().iter().map(Row::id), json);
    json.write_raw(b",\"columns\":");
    let values = values(group, projection);
    let column = |column| values.iter().skip(column).step_by(fields.len());
    write_array(0..fields.len(), json, |place, json| {
        write_array(column(place), json, |value, json| match value {
            Some(value) => write_text(value, json),
            None => json.write_raw(b"null"),
        });
    });
    json.write_raw(b"}");
}

fn write_texts<'v>(texts: impl Iterator<Item = &'v [u8]>, json: &mut JsonWriter) {
    write_array(texts, json, write_text);
}

fn write_text(text: &[u8], json: &mut JsonWriter) {
    json.write_raw(b"\"");
    json.write_escaped(text);
    json.write_raw(b"\"");
}

/// Writes an array, each element by `write`.
fn write_array<T>(
    elements: impl Iterator<Item = T>,
    json: &mut JsonWriter,
    mut write: impl FnMut(T, &mut JsonWriter),
) {
    let mut before: &[u8] = b"[";
    for element in elements {
        json.write_raw(before);
        before = b",";
        write(element, json);
    }
    json.write_raw(if before == b"[" { b"[]" } else { b"]" });
}
