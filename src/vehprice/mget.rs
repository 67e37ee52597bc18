//! `VEHPRICE.MGET`

use quotelock_core::json::JsonWriter;
use quotelock_core::table::Row;
use quotelock_server::{Arg, BlockingCommand, Call, Command, Spec};

use super::ids::IdArgs;
use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{ID_ARG, KEY_ARG, READS, count_reads, waiting};
use crate::args::{ArgCursor, Exclusive, MAX_MS};
use crate::error::{Error, Range};
use crate::reply::{self, check_length, json_writer, too_long};

/// Reads rows.
pub(crate) struct MGet;

/// The words that an id can't be mistaken for when it comes first.
const FIRST_WORDS: [&str; 4] = ["FIELDS", "JSON", "BLOCK", "IDS"];

/// Where the words or the ids begin.
const WORDS: usize = 2;

/// How long a client waits; 0: without limit.
const BLOCK: Range = Range { unit: "whole milliseconds", min: 0, max: MAX_MS };

const BLOCK_ARG: Arg =
    Arg::integer("milliseconds", "wait so long for rows that are being fetched; 0: without end")
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
                    Arg::block(
                        "options",
                        &[FIELDS_ARG, JSON_RAW_ARG, BLOCK_ARG, ID_ARG.after("IDS").multiple()],
                    ),
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
    let request = parse(call)?;
    let ids = IdArgs::new(call, request.ids_at)?;
    // What is wrong with the ids comes before what is wrong with the key.
    let open = OpenTable::read(call).map_err(|error| ids.checked().err().unwrap_or(error))?;
    if let Some(timeout_ms) = request.block_ms.filter(|_| may_block) {
        let fields = request.projection.names();
        if waiting::block_client::<MGet>(call, timeout_ms, &open, &ids, fields)? {
            return Ok(());
        }
    }
    let hits = if request.projection.is_json() {
        reply_json(call, &open, &ids, &request.projection)?
    } else {
        reply_array(call, &open, &ids, &request.projection)?
    };
    count_reads(ids.count(), hits);
    Ok(())
}

/// What is asked for.
struct Request<'a> {
    projection: Projection<'a>,
    block_ms: Option<i64>,
    ids_at: usize,
}

fn parse<'a>(call: &Call<'a>) -> Result<Request<'a>, Error> {
    let mut projection = Projection::whole();
    let first = call.arg(WORDS);
    if !FIRST_WORDS.iter().any(|word| first.eq_ignore_ascii_case(word.as_bytes())) {
        return Ok(Request { projection, block_ms: None, ids_at: WORDS });
    }
    let mut block = Exclusive::unset();
    let mut args = ArgCursor::new(MGet::SPEC.name, WORDS, call.args_from(WORDS));
    while args.advance() {
        if args.is("IDS") {
            projection.check()?;
            let ids_at = args.position();
            if ids_at == call.argc() {
                return Err(Error::NoIds);
            }
            return Ok(Request { projection, block_ms: block.value(), ids_at });
        } else if args.is("BLOCK") {
            block.set("BLOCK", args.timeout("BLOCK", BLOCK)?)?;
        } else {
            projection.take_word(&mut args)?;
        }
    }
    Err(Error::Missing("IDS"))
}

/// Answers rows as one string of JSON. Returns how many were there.
fn reply_json(
    call: &Call<'_>,
    open: &OpenTable<'_, '_>,
    ids: &IdArgs<'_, '_>,
    projection: &Projection<'_>,
) -> Result<usize, Error> {
    // Nothing is answered before the end, so the ids need not be checked in advance.
    let mut ids_read = ids.check_as_read();
    let mut json = json_writer(ids.count() * ROW_BYTES);
    let (mut hits, mut separator) = (0, b"[");
    let mut write = |row: Option<Row<'_>>, json: &mut JsonWriter| {
        json.write_raw(separator);
        separator = b",";
        projection.write_json(row, json);
    };
    // Once the JSON is long the other rows are found first, so that no more is written if it will be refused.
    let mut later = Vec::new();
    open.each_row(&mut ids_read, |row| {
        hits += usize::from(row.is_some());
        if json.is_long() {
            later.push(row);
        } else {
            write(row, &mut json);
        }
    });
    ids_read.finish()?;
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
    ids: &IdArgs<'_, '_>,
    projection: &Projection<'_>,
) -> Result<usize, Error> {
    let mut ids_read = ids.check_as_read();
    let mut rows = Vec::with_capacity(ids.count());
    open.each_row(&mut ids_read, |row| rows.push(row));
    ids_read.finish()?;
    check_length(projection.max_each_len(&rows), |length| projection.reply_each(length, &rows))?;
    projection.reply_each(call, &rows);
    Ok(rows.into_iter().flatten().count())
}

/// About what a row takes in JSON.
pub(super) const ROW_BYTES: usize = 48;
