//! `VEHPRICE.VERIFY`

use std::iter;

use quotelock_core::table::bounds::MAX_FIELDS;
use quotelock_core::table::{Row, Verdict};
use quotelock_server::{Arg, Call, Command, Spec, excerpt};

use super::fields::{push_field, value};
use super::ids::id;
use super::open_table::OpenTable;
use super::projection::Projection;
use super::{ID_ARG, KEY_ARG, READS, count_reads};
use crate::JSON_ARG;
use crate::counters::{VERDICTS_CHANGED, VERDICTS_MATCH, VERDICTS_MISSING};
use crate::error::Error;
use crate::reply::{MAX_HEAD_BYTES, ReplySink, check_length, json_writer, reply_json, too_long};

/// Compares a row with the values the caller saw.
pub(crate) struct Verify;

/// Where the fields and the values that are expected begin.
const PAIRS: usize = 3;

impl Command for Verify {
    const SPEC: Spec = Spec {
        name: "vehprice.verify",
        summary: "Compares fields of a row with expected values, and returns the verdict and the row.",
        complexity: "O(N) where N is the number of fields",
        since: "0.1.0",
        flags: "readonly fast",
        categories: "read fast",
        arity: -5,
        keys: READS,
        args: &[
            KEY_ARG,
            ID_ARG,
            Arg::block(
                "data",
                &[
                    Arg::string("field", "the name of a field"),
                    Arg::string("expected", "the value it should hold"),
                ],
            )
            .multiple(),
            JSON_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let request = parse(call)?;
        let open = OpenTable::read(call)?;
        let row = open.row(request.id);
        let verdict = Verdict::of(row, &request.expected);
        if request.is_json {
            reply_as_json(call, verdict, row)?;
        } else {
            let max_len = MAX_HEAD_BYTES + VERDICT_BYTES + Projection::whole().max_reply_len(row);
            check_length(max_len, |length| reply(length, verdict, row))?;
            reply(call, verdict, row);
        }
        count_reads(1, usize::from(row.is_some()));
        count(verdict);
        Ok(())
    }
}

fn reply_as_json(call: &Call<'_>, verdict: Verdict, row: Option<Row<'_>>) -> Result<(), Error> {
    let whole = Projection::whole();
    let mut json = json_writer(0);
    json.make_room(iter::once(whole.min_json_len(row))).map_err(too_long)?;
    json.write_raw(b"{\"verdict\":\"");
    json.write_raw(verdict.name().as_bytes());
    json.write_raw(b"\",\"row\":");
    whole.write_json(row, &mut json);
    json.write_raw(b"}");
    reply_json(call, &mut json)
}

/// What a reply's names and its verdict take at most.
const VERDICT_BYTES: usize = 64;

fn reply(to: &impl ReplySink, verdict: Verdict, row: Option<Row<'_>>) {
    to.reply_map(2);
    to.reply_bytes(b"verdict");
    to.reply_bytes(verdict.name().as_bytes());
    to.reply_bytes(b"row");
    Projection::whole().reply(to, row);
}

/// What is asked for.
struct Request<'a> {
    id: &'a [u8],
    /// Fields, and the values they should hold.
    expected: Vec<(&'a str, &'a [u8])>,
    is_json: bool,
}

fn parse<'a>(call: &Call<'a>) -> Result<Request<'a>, Error> {
    let pairs = (call.argc() - PAIRS) / 2;
    if pairs > MAX_FIELDS {
        return Err(Error::TooManyPairs(pairs));
    }
    let id = id(call.arg(2))?;
    let (mut names, mut expected) = (Vec::new(), Vec::new());
    let mut args = call.args_from(PAIRS);
    while let Some(name) = args.next() {
        match args.next() {
            Some(bytes) => {
                let name = push_field(&mut names, name)?;
                expected.push((name, value(name, bytes)?));
            }
            None if name.eq_ignore_ascii_case(b"JSON") => return Ok(Request { id, expected, is_json: true }),
            None => return Err(Error::NothingExpected(excerpt(name))),
        }
    }
    Ok(Request { id, expected, is_json: false })
}

/// Counts a verdict.
fn count(verdict: Verdict) {
    match verdict {
        Verdict::Match => VERDICTS_MATCH.count(),
        Verdict::Changed => VERDICTS_CHANGED.count(),
        Verdict::Missing => VERDICTS_MISSING.count(),
    }
}
