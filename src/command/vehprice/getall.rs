//! `VEHPRICE.GETALL`

use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{KEY, KEY_ARG, READS, count_reads, swept_table};
use crate::command::error::Error;
use crate::command::grammar::Words;
use crate::server::{Call, Command, Example, Spec};
use crate::vehprice::{Json, Row};

/// Reads all rows.
pub struct GetAll;

impl Command for GetAll {
    const SPEC: Spec = Spec {
        name: "vehprice.getall",
        summary: "Returns all rows of a price table.",
        complexity: "O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -2,
        keys: READS,
        args: &[KEY_ARG, FIELDS_ARG, JSON_RAW_ARG],
        about: "\
All live rows in one answer, in no order. The larger the table, the longer it holds up others: `VEHPRICE.SCAN` does the same in \
steps. `FIELDS`, `JSON` and `RAW` are those of `VEHPRICE.GET`.",
        replies: &[
            (
                "without `JSON`",
                "a map of ids and what `VEHPRICE.GET` answers, empty if there is no table; in RESP2 a flat array",
            ),
            ("with `JSON`", "one bulk string of at most 512 MiB: an object, `{}` if there is no table"),
        ],
        examples: &[
            Example("VEHPRICE.SET prices 4711 FIELDS 1 styleId 12", "(integer) 1"),
            Example("VEHPRICE.GETALL prices", "1) \"4711\"\n2) 1) \"styleId\"\n   2) \"12\""),
            Example("VEHPRICE.GETALL prices JSON", r#""{\"4711\":{\"styleId\":\"12\"}}""#),
            Example("VEHPRICE.GETALL nowhere JSON", "\"{}\""),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut projection = Projection::whole();
        let mut words = Words::new(Self::SPEC.name, call.args_from(2));
        while words.advance() {
            projection.take(&mut words)?;
        }
        projection.check()?;
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let table = swept_table(call, &mut key)?;
        let rows = || table.iter().flat_map(|table| table.iter(now_ms));
        let count = table.as_ref().map_or(0, |table| table.len(now_ms));
        count_reads(count, count);
        if projection.json() {
            let mut json = Json::expecting(count.saturating_mul(ROW_BYTES));
            write_object(rows(), &projection, &mut json);
            call.reply_bytes(json.whole()?);
        } else {
            reply_rows(call, count, rows(), &projection);
        }
        Ok(())
    }
}

/// Answers rows as a map from their ids.
pub(super) fn reply_rows<'t>(
    call: &Call<'_>,
    count: usize,
    rows: impl Iterator<Item = Row<'t>>,
    projection: &Projection<'_>,
) {
    call.reply_map(count);
    for row in rows {
        call.reply_bytes(row.id());
        projection.reply(call, Some(row));
    }
}

/// Writes rows as a JSON object from their ids.
pub(super) fn write_object<'t>(
    rows: impl Iterator<Item = Row<'t>>,
    projection: &Projection<'_>,
    json: &mut Json,
) {
    json.add(b"{");
    let mut before = "\"";
    for row in rows {
        json.add(before.as_bytes());
        before = ",\"";
        json.add_escaped(row.id());
        json.add(b"\":");
        projection.write_json(Some(row), json);
    }
    json.add(b"}");
}

/// What a row and its id take in JSON, about.
const ROW_BYTES: usize = 64;
