//! `VEHPRICE.MGET`

use quotelock_core::json::JsonWriter;
use quotelock_core::table::Row;
use quotelock_server::{Arg, BlockingCommand, Call, Command, Spec, excerpt};

use super::columns::reply_columns;
use super::ids::{IDS_OR_LIST_ARG, Ids};
use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, FORMAT_ARG, Projection};
use super::{ID_ARG, KEY_ARG, READS, count_reads, waiting};
use crate::args::{ArgCursor, Exclusive, MAX_MS};
use crate::counters::SIZES_MGET;
use crate::error::{Error, Range};
use crate::reply::{self, check_length, json_writer, too_long};

/// Reads rows.
pub(crate) struct MGet;

/// The words that may come first.
const FIRST_WORDS: [&str; 6] = ["FIELDS", "JSON", "COLUMNS", "BLOCK", "IDS", "LIST"];

/// All words, which an id can't be mistaken for where ids stand without `IDS`.
const ALL_WORDS: [&str; 7] = ["FIELDS", "JSON", "RAW", "COLUMNS", "BLOCK", "IDS", "LIST"];

/// Where the words or the ids begin.
const WORDS: usize = 2;

/// How long a client waits; 0: without limit.
const BLOCK: Range = Range { unit: "whole milliseconds", min: 0, max: MAX_MS };

const BLOCK_ARG: Arg =
    Arg::integer("milliseconds", "how long to wait for rows that are being fetched; 0: no limit")
        .after("BLOCK")
        .optional();

impl Command for MGet {
    const SPEC: Spec = Spec {
        name: "vehprice.mget",
        summary: "Returns rows of a price table.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly blocking",
        categories: "read slow blocking",
        arity: -3,
        keys: READS,
        args: &[
            KEY_ARG,
            Arg::one_of(
                "ids-or-options",
                &[
                    ID_ARG.multiple(),
                    Arg::block("options", &[FIELDS_ARG, FORMAT_ARG, BLOCK_ARG, IDS_OR_LIST_ARG]),
                ],
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        run(call, true)
    }
}

impl BlockingCommand for MGet {
    fn key_ready(call: &Call<'_>) -> Result<(), Error> {
        waiting::key_ready(call)
    }

    fn reply(call: &Call<'_>, waiter: u64) -> Result<(), Error> {
        waiting::forget(waiter);
        run(call, false)
    }

    fn forget(waiter: u64) {
        waiting::forget(waiter);
    }
}

/// Replies, or first blocks the client if it asked for that and may be blocked.
fn run(call: &Call<'_>, may_block: bool) -> Result<(), Error> {
    let Request { projection, block_ms, ids } = parse(call)?;
    // What is wrong with the ids comes before what is wrong with the key.
    let open = OpenTable::read(call).map_err(|error| ids.with_checked(|_| ()).err().unwrap_or(error))?;
    if let Some(timeout_ms) = block_ms.filter(|_| may_block) {
        let fields = projection.names();
        if waiting::block_client::<MGet>(call, timeout_ms, &open, &ids, fields)? {
            return Ok(());
        }
    }
    let hits = if projection.is_columns() {
        reply_columns(call, &open, &ids, &projection)?
    } else if projection.is_json() {
        reply_json(call, &open, &ids, &projection)?
    } else {
        reply_array(call, &open, &ids, &projection)?
    };
    count_reads(ids.count(), hits);
    SIZES_MGET.count(ids.count());
    Ok(())
}

/// What is asked for.
struct Request<'c, 'a> {
    projection: Projection<'a>,
    block_ms: Option<i64>,
    ids: Ids<'c, 'a>,
}

fn parse<'c, 'a>(call: &'c Call<'a>) -> Result<Request<'c, 'a>, Error> {
    let mut projection = Projection::whole();
    if !is_word(call.arg(WORDS), &FIRST_WORDS) {
        return match call.args_from(WORDS).find(|id| is_word(id, &ALL_WORDS)) {
            Some(word) => Err(Error::OptionAmongIds(excerpt(word))),
            None => Ok(Request { projection, block_ms: None, ids: Ids::each(call, WORDS)? }),
        };
    }
    let mut block = Exclusive::unset();
    let mut args = ArgCursor::new(MGet::SPEC.name, WORDS, call.args_from(WORDS));
    while args.advance() {
        if args.is("BLOCK") {
            block.set("BLOCK", args.timeout("BLOCK", BLOCK)?)?;
        } else if let Some(ids) = Ids::take_word(call, &mut args)? {
            projection.check()?;
            projection.check_columns()?;
            return Ok(Request { projection, block_ms: block.value(), ids });
        } else {
            projection.take_word_or_columns(&mut args)?;
        }
    }
    Err(Error::missing("IDS or LIST", &MGet::SPEC))
}

/// Whether an argument is one of these words.
#[inline]
fn is_word(argument: &[u8], words: &[&str]) -> bool {
    // No word begins with a digit, as ids mostly do.
    argument.first().is_some_and(u8::is_ascii_alphabetic)
        && words.iter().any(|word| argument.eq_ignore_ascii_case(word.as_bytes()))
}

/// Answers rows as one string of JSON. Returns how many were there.
fn reply_json(
    call: &Call<'_>,
    open: &OpenTable<'_, '_>,
    ids: &Ids<'_, '_>,
    projection: &Projection<'_>,
) -> Result<usize, Error> {
    let mut json = json_writer(ids.count() * ROW_BYTES);
    let (mut hits, mut separator) = (0, b"[");
    let mut write = |row: Option<Row<'_>>, json: &mut JsonWriter| {
        json.write_raw(separator);
        separator = b",";
        projection.write_json(row, json);
    };
    // Once the JSON is long the other rows are found first, so that no more is written if it will be refused.
    let mut later = Vec::new();
    ids.each_row(open, |row| {
        hits += usize::from(row.is_some());
        if json.is_long() {
            later.push(row);
        } else {
            write(row, &mut json);
        }
    })?;
    if ids.count() == 0 {
        json.write_raw(b"[");
    }
    let min_len = |row: &Option<Row<'_>>| ",".len() + projection.min_json_len(*row);
    json.make_room(later.iter().map(min_len)).map_err(too_long)?;
    later.into_iter().for_each(|row| write(row, &mut json));
    json.write_raw(b"]");
    reply::reply_json(call, &mut json)?;
    Ok(hits)
}

/// Answers rows as an array. Returns how many were there.
fn reply_array(
    call: &Call<'_>,
    open: &OpenTable<'_, '_>,
    ids: &Ids<'_, '_>,
    projection: &Projection<'_>,
) -> Result<usize, Error> {
    let mut rows = Vec::with_capacity(ids.count());
    ids.each_row(open, |row| rows.push(row))?;
    check_length(projection.max_each_len(&rows), |length| projection.reply_each(length, &rows))?;
    projection.reply_each(call, &rows);
    Ok(rows.into_iter().flatten().count())
}

/// About what a row takes in JSON.
pub(super) const ROW_BYTES: usize = 48;
