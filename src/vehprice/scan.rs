//! `VEHPRICE.SCAN`

use quotelock_core::table::Row;
use quotelock_server::{Arg, Call, Command, Spec};

use super::getall::{max_rows_len, reply_rows, write_object};
use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, Projection};
use super::{KEY_ARG, READS, count_reads};
use crate::JSON_ARG;
use crate::args::{ArgCursor, Exclusive, integer};
use crate::error::{Error, Range};
use crate::reply::{MAX_HEAD_BYTES, ReplySink, check_length, json_writer, reply_json, too_long};
use crate::settings;

/// Reads rows in steps.
pub(crate) struct Scan;

/// How many rows a step passes unless told otherwise.
const DEFAULT_COUNT: i64 = 10;

impl Command for Scan {
    const SPEC: Spec = Spec {
        name: "vehprice.scan",
        summary: "Iterates over the rows of a price table.",
        complexity: "O(1) for each call, O(N) for a whole iteration, where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: READS,
        args: &[
            KEY_ARG,
            Arg::string("cursor", "0 to start, then the cursor that the last call returned"),
            Arg::integer("count", "about how many rows to examine in this call").after("COUNT").optional(),
            FIELDS_ARG,
            JSON_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let request = parse(call)?;
        let open = OpenTable::read(call)?;
        let mut rows = Vec::new();
        let next = open.table().map_or(0, |table| {
            table.scan(request.cursor, request.count, call.now_ms(), |row| rows.push(row))
        });
        let next = next.to_string();
        if request.projection.is_json() {
            let mut json = json_writer(0);
            json.write_raw(b"{\"cursor\":\"");
            json.write_raw(next.as_bytes());
            json.write_raw(b"\",\"rows\":");
            write_object(rows.iter().copied(), &request.projection, &mut json).map_err(too_long)?;
            json.write_raw(b"}");
            reply_json(call, &mut json)?;
        } else {
            let max_len = MAX_HEAD_BYTES * 3 + max_rows_len(&rows, &request.projection);
            check_length(max_len, |length| reply(length, &next, &rows, &request.projection))?;
            reply(call, &next, &rows, &request.projection);
        }
        count_reads(rows.len(), rows.len());
        Ok(())
    }
}

fn reply(to: &impl ReplySink, next: &str, rows: &[Row<'_>], projection: &Projection<'_>) {
    to.reply_array(2);
    to.reply_bytes(next.as_bytes());
    reply_rows(to, rows, projection);
}

/// What is asked for.
struct Request<'a> {
    cursor: u32,
    count: usize,
    projection: Projection<'a>,
}

fn parse<'a>(call: &Call<'a>) -> Result<Request<'a>, Error> {
    let cursor =
        integer(call.arg(2)).and_then(|number| u32::try_from(number).ok()).ok_or(Error::BadCursor)?;
    let counts = Range { unit: "a whole number", min: 1, max: settings::max_batch() };
    let (mut count, mut projection) = (Exclusive::unset(), Projection::whole());
    let mut args = ArgCursor::new(Scan::SPEC.name, 3, call.args_from(3));
    while args.advance() {
        if args.is("COUNT") {
            let number = args.integer("COUNT", counts)?;
            count.set("COUNT", number)?;
        } else if args.is("RAW") {
            return Err(args.unknown());
        } else {
            projection.take_word(&mut args)?;
        }
    }
    let count = usize::try_from(count.value().unwrap_or(DEFAULT_COUNT)).unwrap_or(usize::MAX);
    Ok(Request { cursor, count, projection })
}
