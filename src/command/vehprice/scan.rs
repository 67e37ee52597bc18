//! `VEHPRICE.SCAN`

use super::getall::{reply_rows, write_object};
use super::projection::{FIELDS_ARG, Projection};
use super::{KEY, KEY_ARG, READS, count_reads, swept_table};
use crate::command::JSON_ARG;
use crate::command::error::{Error, Range};
use crate::command::grammar::{Choice, Words, integer};
use crate::command::settings;
use crate::server::{Arg, Call, Command, Example, Spec};
use crate::vehprice::Json;

/// Reads rows in steps.
pub struct Scan;

/// How many rows a step passes where none is asked.
const DEFAULT_COUNT: i64 = 10;

impl Command for Scan {
    const SPEC: Spec = Spec {
        name: "vehprice.scan",
        summary: "Returns rows of a price table in steps.",
        complexity: "O(1) for a step, O(N) for a whole iteration, where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: READS,
        args: &[
            KEY_ARG,
            Arg::string("cursor", "0 to begin, then what the last step returned"),
            Arg::integer("count", "how many rows to pass, about").after("COUNT").optional(),
            FIELDS_ARG,
            JSON_ARG,
        ],
        about: "\
A step passes at least `COUNT` rows (10 without it), in groups of mostly up to 32, and returns those that are live. The iteration is \
over when the cursor returned is 0. A row that is there from beginning to end is returned just once; one that comes or goes \
meanwhile may be returned or not. `FIELDS` and `JSON` are those of `VEHPRICE.GET`.",
        replies: &[
            (
                "without `JSON`",
                "an array of the next cursor, a string, and what `VEHPRICE.GETALL` answers of these rows",
            ),
            (
                "with `JSON`",
                "one bulk string of at most 512 MiB: an object of `cursor`, a string, and `rows`, an object",
            ),
        ],
        examples: &[
            Example("VEHPRICE.SET prices 4711 FIELDS 1 styleId 12", "(integer) 1"),
            Example(
                "VEHPRICE.SCAN prices 0",
                "1) \"0\"\n2) 1) \"4711\"\n   2) 1) \"styleId\"\n      2) \"12\"",
            ),
            Example(
                "VEHPRICE.SCAN prices 0 COUNT 100 JSON",
                r#""{\"cursor\":\"0\",\"rows\":{\"4711\":{\"styleId\":\"12\"}}}""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let cursor =
            integer(call.arg(2)).and_then(|number| u32::try_from(number).ok()).ok_or(Error::BadCursor)?;
        let counts = Range { unit: "a whole number", least: 1, most: settings::max_batch() };
        let (mut count, mut projection) = (Choice::none(), Projection::whole());
        let mut words = Words::new(Self::SPEC.name, call.args_from(3));
        while words.advance() {
            if words.is("COUNT") {
                let number = words.integer("COUNT", counts)?;
                count.take("COUNT", number)?;
            } else if words.is("RAW") {
                return Err(words.unknown());
            } else {
                projection.take(&mut words)?;
            }
        }
        let count = usize::try_from(count.value().unwrap_or(DEFAULT_COUNT)).unwrap_or_default();
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let mut rows = Vec::new();
        let next = match swept_table(call, &mut key)? {
            Some(table) => table.scan(cursor.into(), count, now_ms, |row| rows.push(row)).to_string(),
            None => "0".to_owned(),
        };
        count_reads(rows.len(), rows.len());
        if projection.json() {
            let mut json = Json::default();
            json.add(b"{\"cursor\":\"");
            json.add(next.as_bytes());
            json.add(b"\",\"rows\":");
            write_object(rows.into_iter(), &projection, &mut json);
            json.add(b"}");
            call.reply_bytes(json.whole()?);
        } else {
            call.reply_array(2);
            call.reply_bytes(next.as_bytes());
            reply_rows(call, rows.len(), rows.into_iter(), &projection);
        }
        Ok(())
    }
}
