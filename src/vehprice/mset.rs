//! `VEHPRICE.MSET`

use quotelock_server::{Arg, Call, Command, Spec};

use super::fields::{NUM_FIELDS, push_field};
use super::row_args::RowArgs;
use super::write::write_rows;
use super::write_options::{CONDITION_ARG, EXPIRY_ARG, MERGE_ARG, TOKEN_ARG, WriteOptions};
use super::{ID_ARG, KEY_ARG, WRITES};
use crate::args::{ArgCursor, Exclusive};
use crate::error::Error;

/// Stores rows with the same fields.
pub(crate) struct MSet;

/// Where the words begin.
const WORDS: usize = 2;

impl Command for MSet {
    const SPEC: Spec = Spec {
        name: "vehprice.mset",
        summary: "Sets rows of a price table.",
        complexity: "O(N) where N is the number of rows times the number of fields",
        since: "0.1.0",
        flags: "write deny-oom",
        categories: "write slow",
        arity: -7,
        keys: WRITES,
        args: &[
            KEY_ARG,
            CONDITION_ARG,
            MERGE_ARG,
            EXPIRY_ARG,
            TOKEN_ARG,
            Arg::block(
                "fields",
                &[
                    Arg::integer("numfields", "how many fields each row has"),
                    Arg::string("field", "the name of a field").multiple(),
                ],
            )
            .after("FIELDS"),
            Arg::block("row", &[ID_ARG, Arg::string("value", "the value of each field").multiple()])
                .after("ROWS")
                .multiple(),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (rows, options) = parse(call)?;
        let stored = write_rows(call, &rows, &options)?;
        call.reply_count(stored);
        Ok(())
    }
}

fn parse<'a>(call: &Call<'a>) -> Result<(RowArgs<'a>, WriteOptions), Error> {
    let mut options = WriteOptions::new(call);
    let (mut names, mut fields) = (Vec::new(), Exclusive::unset());
    let mut args = ArgCursor::new(MSet::SPEC.name, WORDS, call.args_from(WORDS));
    while args.advance() {
        if args.is("FIELDS") {
            let count = args.integer("FIELDS", NUM_FIELDS)?;
            fields.set("FIELDS", args.position())?;
            for _ in 0..count {
                let name = args.argument().ok_or(Error::TooFewFields { word: "FIELDS", fields: count })?;
                push_field(&mut names, name)?;
            }
        } else if args.is("ROWS") {
            let names_at = fields.value().ok_or(Error::Missing("FIELDS"))?;
            let rows = RowArgs::of_mset(call, names, names_at, args.position())?;
            options.check()?;
            return Ok((rows, options));
        } else {
            options.take_word(&mut args)?;
        }
    }
    Err(Error::Missing(if fields.is_set() { "ROWS" } else { "FIELDS" }))
}
