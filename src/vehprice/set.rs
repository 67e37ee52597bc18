//! `VEHPRICE.SET`

use quotelock_core::batch::RowBatch;
use quotelock_server::{Arg, Call, Command, Spec};

use super::fields::NUM_FIELDS;
use super::ids::id;
use super::row_args::{EachArg, RowArgs};
use super::write::write_rows;
use super::write_options::{CONDITION_ARG, EXPIRY_ARG, MERGE_ARG, TOKEN_ARG, WriteOptions};
use super::{ID_ARG, KEY_ARG, WRITES};
use crate::args::ArgCursor;
use crate::error::Error;

/// Stores a row.
pub(crate) struct Set;

/// Where the id is, and where the words begin.
const ID: usize = 2;
const WORDS: usize = 3;

impl Command for Set {
    const SPEC: Spec = Spec {
        name: "vehprice.set",
        summary: "Sets a row of a price table.",
        complexity: "O(N) where N is the number of fields",
        since: "0.1.0",
        flags: "write deny-oom fast",
        categories: "write fast",
        arity: -6,
        keys: WRITES,
        args: &[
            KEY_ARG,
            ID_ARG,
            CONDITION_ARG,
            MERGE_ARG,
            EXPIRY_ARG,
            TOKEN_ARG,
            Arg::block(
                "fields",
                &[
                    Arg::integer("numfields", "the number of fields that follow"),
                    Arg::block(
                        "data",
                        &[Arg::string("field", "the name of a field"), Arg::string("value", "its value")],
                    )
                    .multiple(),
                ],
            )
            .after("FIELDS"),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (row, args, options) = parse(call)?;
        let stored = write_rows(call, &row, RowArgs::Each(args), &options)?;
        call.reply_count(stored);
        Ok(())
    }
}

fn parse<'a>(call: &Call<'a>) -> Result<(RowBatch<'a>, EachArg, WriteOptions), Error> {
    // The id comes first, so an error in it does too.
    id(call.arg(ID))?;
    let mut options = WriteOptions::new(call);
    let mut args = ArgCursor::new(Set::SPEC.name, WORDS, call.args_from(WORDS));
    while args.advance() {
        if !args.is("FIELDS") {
            options.take_word(&mut args)?;
            continue;
        }
        let fields = args.integer("FIELDS", NUM_FIELDS)?;
        let fields_at = args.position();
        if i64::try_from(call.argc() - fields_at) != Ok(2 * fields) {
            return Err(Error::FieldsAndValues { fields });
        }
        let (row, args) = EachArg::of_set(call, ID, fields_at)?;
        options.check()?;
        return Ok((row, args, options));
    }
    Err(Error::missing("FIELDS", &Set::SPEC))
}
