//! `VEHPRICE.VERIFY`

use super::projection::Projection;
use super::{ID_ARG, KEY, KEY_ARG, READS, count_reads, field, id, swept_table, value};
use crate::command::JSON_ARG;
use crate::command::counters::{VERDICTS_CHANGED, VERDICTS_MATCH, VERDICTS_MISSING};
use crate::command::error::Error;
use crate::server::{Arg, Call, Command, Example, Spec, excerpt};
use crate::vehprice::Json;

/// Holds a row against what was seen of it.
pub struct Verify;

/// Where the fields and the values that are expected begin.
const PAIRS: usize = 3;

impl Command for Verify {
    const SPEC: Spec = Spec {
        name: "vehprice.verify",
        summary: "Returns whether fields of a row hold what is expected, and the row.",
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
        about: "\
For reserving: the app sends back what the user saw, and the answer has both the verdict and the row, so that what was verified \
is what is kept.

An argument at the end that has no partner must be the word `JSON`.",
        replies: &[
            (
                "without `JSON`",
                "a map of `verdict` and `row` (nil if it is missing): `Match` when every named field holds just that value, `Changed` when one differs or is not there, `Missing` when the row is",
            ),
            ("with `JSON`", "one bulk string: an object with the same members"),
        ],
        examples: &[
            Example("VEHPRICE.SET prices 4711 FIELDS 2 styleId 12 pricingId 571", "(integer) 1"),
            Example(
                "VEHPRICE.VERIFY prices 4711 pricingId 571 JSON",
                r#""{\"verdict\":\"Match\",\"row\":{\"styleId\":\"12\",\"pricingId\":\"571\"}}""#,
            ),
            Example(
                "VEHPRICE.VERIFY prices 4711 pricingId 570",
                "1) \"verdict\"\n2) \"Changed\"\n3) \"row\"\n4) 1) \"styleId\"\n   2) \"12\"\n   3) \"pricingId\"\n   4) \"571\"",
            ),
            Example("VEHPRICE.VERIFY prices 4712 pricingId 571 JSON", r#""{\"verdict\":\"Missing\",\"row\":null}""#),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let id = id(call.arg(2))?;
        let (expected, as_json) = parse(call)?;
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let row = swept_table(call, &mut key)?.and_then(|table| table.get(id, now_ms));
        count_reads(1, usize::from(row.is_some()));
        let (verdict, counter) = match row {
            None => ("Missing", &VERDICTS_MISSING),
            Some(row)
                if expected
                    .iter()
                    .all(|(name, value)| row.value(name.as_bytes()) == Some(value.as_bytes())) =>
            {
                ("Match", &VERDICTS_MATCH)
            }
            Some(_) => ("Changed", &VERDICTS_CHANGED),
        };
        counter.count();
        let whole = Projection::whole();
        if as_json {
            let mut json = Json::default();
            json.add(b"{\"verdict\":\"");
            json.add(verdict.as_bytes());
            json.add(b"\",\"row\":");
            whole.write_json(row, &mut json);
            json.add(b"}");
            call.reply_bytes(json.whole()?);
            return Ok(());
        }
        call.reply_map(2);
        call.reply_bytes(b"verdict");
        call.reply_bytes(verdict.as_bytes());
        call.reply_bytes(b"row");
        whole.reply(call, row);
        Ok(())
    }
}

/// A field, and the value it should hold.
type Pair<'a> = (&'a str, &'a str);

/// Fields and the values that are expected, and whether JSON is asked.
fn parse<'a>(call: &Call<'a>) -> Result<(Vec<Pair<'a>>, bool), Error> {
    let (mut expected, mut arguments) = (Vec::new(), call.args_from(PAIRS));
    while let Some(name) = arguments.next() {
        match arguments.next() {
            Some(bytes) => {
                let name = field(name)?;
                expected.push((name, value(name, bytes)?));
            }
            None if name.eq_ignore_ascii_case(b"JSON") => return Ok((expected, true)),
            None => return Err(Error::NothingExpected(excerpt(name))),
        }
    }
    Ok((expected, false))
}
