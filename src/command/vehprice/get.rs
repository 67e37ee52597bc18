//! `VEHPRICE.GET`

use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{ID_ARG, KEY, KEY_ARG, READS, count_reads, id, swept_table};
use crate::command::error::Error;
use crate::command::grammar::Words;
use crate::server::{Call, Command, Example, Spec};
use crate::vehprice::Json;

/// Reads a row.
pub struct Get;

impl Command for Get {
    const SPEC: Spec = Spec {
        name: "vehprice.get",
        summary: "Returns a row of a price table.",
        complexity: "O(N) where N is the number of fields",
        since: "0.1.0",
        flags: "readonly fast",
        categories: "read fast",
        arity: -3,
        keys: READS,
        args: &[KEY_ARG, ID_ARG, FIELDS_ARG, JSON_RAW_ARG],
        about: "\
The fields come in the order they were written in. With `FIELDS` the named ones in the order asked; one that the row doesn't \
have is nil.

With `JSON` a row is an object, with `FIELDS` too, and all values are strings; `RAW` embeds the named fields as the JSON they \
hold, and one that holds none stays a string.",
        replies: &[
            ("there is no such row", "nil; with `JSON` the bulk string `null`"),
            ("else", "a map of fields and values; in RESP2 a flat array"),
            ("with `FIELDS`", "an array of values"),
            ("with `JSON`", "one bulk string"),
        ],
        examples: &[
            Example("VEHPRICE.SET prices 4711 FIELDS 2 styleId 12 rules '[1,2]'", "(integer) 1"),
            Example("VEHPRICE.GET prices 4711", "1) \"styleId\"\n2) \"12\"\n3) \"rules\"\n4) \"[1,2]\""),
            Example("VEHPRICE.GET prices 4711 FIELDS 2 plan styleId", "1) (nil)\n2) \"12\""),
            Example("VEHPRICE.GET prices 4711 JSON", r#""{\"styleId\":\"12\",\"rules\":\"[1,2]\"}""#),
            Example("VEHPRICE.GET prices 4711 JSON RAW 1 rules", r#""{\"styleId\":\"12\",\"rules\":[1,2]}""#),
            Example("VEHPRICE.GET prices 4712", "(nil)"),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let id = id(call.arg(2))?;
        let mut projection = Projection::whole();
        let mut words = Words::new(Self::SPEC.name, call.args_from(3));
        while words.advance() {
            projection.take(&mut words)?;
        }
        projection.check()?;
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let row = swept_table(call, &mut key)?.and_then(|table| table.get(id, now_ms));
        count_reads(1, usize::from(row.is_some()));
        if projection.json() {
            let mut json = Json::default();
            projection.write_json(row, &mut json);
            call.reply_bytes(json.whole()?);
        } else {
            projection.reply(call, row);
        }
        Ok(())
    }
}
