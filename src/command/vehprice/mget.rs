//! `VEHPRICE.MGET`

use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{ID_ARG, KEY, KEY_ARG, READS, count_reads, ids, table};
use crate::command::error::Error;
use crate::command::grammar::Words;
use crate::server::{Arg, Call, Command, Example, Spec};
use crate::vehprice::{Json, Row, Table};

/// Reads rows.
pub struct MGet;

/// The words that an id can't be mistaken for when it comes first.
const FIRST_WORDS: [&str; 4] = ["FIELDS", "JSON", "BLOCK", "IDS"];

/// Where the words or the ids begin.
const WORDS: usize = 2;

impl Command for MGet {
    const SPEC: Spec = Spec {
        name: "vehprice.mget",
        summary: "Returns rows of a price table.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
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
                        &[FIELDS_ARG, JSON_RAW_ARG, Arg::string("id", "the vehicle's id").after("IDS").multiple()],
                    ),
                ],
            ),
        ],
        about: "\
One answer for each id, in order, all of one moment. `JSON` is the fastest form for server and client.

Words are read only if the first argument after the key is `FIELDS`, `JSON`, `BLOCK` or `IDS`, and then `IDS` must come before \
the ids: a vehicle with such an id is passed after `IDS`. (`BLOCK` is kept for later and refused.) At most \
`quotelock.max-batch` ids. `FIELDS`, `JSON` and `RAW` are those of `VEHPRICE.GET`.",
        replies: &[
            ("always", "an array: for each id nil, or what `VEHPRICE.GET` answers"),
            ("with `JSON`", "one bulk string: an array of objects and `null`"),
        ],
        examples: &[
            Example("VEHPRICE.MSET prices FIELDS 1 styleId ROWS 4711 12 4712 13", "(integer) 2"),
            Example("VEHPRICE.MGET prices 4711 4799", "1) 1) \"styleId\"\n   2) \"12\"\n2) (nil)"),
            Example(
                "VEHPRICE.MGET prices JSON IDS 4712 4799 4711",
                r#""[{\"styleId\":\"13\"},null,{\"styleId\":\"12\"}]""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut projection = Projection::whole();
        let ids_at = parse(call, &mut projection)?;
        let ids = ids(call, ids_at)?;
        let count = ids.len();
        let Some(mut key) = call.read_key(KEY) else {
            return Ok(());
        };
        let now_ms = call.now_ms();
        let table = table(call, &mut key)?;
        let table = table.as_deref();
        let mut hits = 0_usize;
        if projection.json() {
            let mut json = Json::expecting(count.saturating_mul(ROW_BYTES));
            let mut before = b"[";
            each(table, &ids, now_ms, |row| {
                json.add(before);
                before = b",";
                match row {
                    Some(row) => {
                        hits = hits.saturating_add(1);
                        projection.write_json(row, &mut json);
                    }
                    None => json.add(b"null"),
                }
            });
            json.add(b"]");
            json.with(|json| call.reply_bytes(json));
        } else {
            call.reply_array(count);
            each(table, &ids, now_ms, |row| match row {
                Some(row) => {
                    hits = hits.saturating_add(1);
                    projection.reply(call, row);
                }
                None => call.reply_nil(),
            });
        }
        count_reads(count, hits);
        Ok(())
    }
}

/// Visits the row of each id, or none.
#[inline]
fn each<'t>(table: Option<&'t Table>, ids: &[&[u8]], now_ms: i64, mut visit: impl FnMut(Option<Row<'t>>)) {
    match table {
        Some(table) => table.get_each(ids, now_ms, visit),
        None => ids.iter().for_each(|_| visit(None)),
    }
}

/// What a row takes in JSON, about.
const ROW_BYTES: usize = 48;

/// Reads the words, if there are any, and finds where the ids begin.
fn parse<'a>(call: &Call<'a>, projection: &mut Projection<'a>) -> Result<usize, Error> {
    let mut words = Words::new(MGet::SPEC.name, call.args_from(WORDS));
    let first = call.arg(WORDS);
    if !FIRST_WORDS.iter().any(|word| first.eq_ignore_ascii_case(word.as_bytes())) {
        return Ok(WORDS);
    }
    while words.advance() {
        if words.is("IDS") {
            projection.check()?;
            let ids_at = words.read.saturating_add(WORDS);
            return if ids_at < call.argc() { Ok(ids_at) } else { Err(Error::NoIds) };
        }
        projection.take(&mut words)?;
    }
    Err(Error::Missing("IDS"))
}
