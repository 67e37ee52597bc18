//! `VEHPRICE.MSET`

use quotelock_core::batch::RowBatch;
use quotelock_server::{Arg, Call, Command, Spec};

use super::fields::{NUM_FIELDS, push_field};
use super::row_args::{EachArg, JsonForm, RowArgs};
use super::write::write_rows;
use super::write_options::{CONDITION_ARG, EXPIRY_ARG, MERGE_ARG, TOKEN_ARG, WriteOptions};
use super::{ID_ARG, KEY_ARG, WRITES};
use crate::args::{ArgCursor, Exclusive};
use crate::counters::SIZES_MSET;
use crate::error::Error;

/// Stores rows.
pub(crate) struct MSet;

/// Where the words begin.
const WORDS: usize = 2;

const FIELDS_ARG: Arg = Arg::block(
    "fields",
    &[
        Arg::integer("numfields", "the number of fields in each row"),
        Arg::string("field", "the name of a field").multiple(),
    ],
)
.after("FIELDS");
const ROWS_ARG: Arg =
    Arg::block("row", &[ID_ARG, Arg::string("value", "the value of each field").multiple()])
        .after("ROWS")
        .multiple();

impl Command for MSet {
    const SPEC: Spec = Spec {
        name: "vehprice.mset",
        summary: "Sets rows of a price table.",
        complexity: "O(N) where N is the number of rows times the number of fields",
        since: "0.1.0",
        flags: "write deny-oom",
        categories: "write slow",
        arity: -4,
        keys: WRITES,
        args: &[
            KEY_ARG,
            CONDITION_ARG,
            MERGE_ARG,
            EXPIRY_ARG,
            TOKEN_ARG,
            Arg::one_of(
                "rows",
                &[
                    Arg::block("fields-rows", &[FIELDS_ARG, ROWS_ARG]),
                    Arg::string("rows", "rows by id, as GETALL JSON returns them").after("JSON"),
                    Arg::string(
                        "table",
                        "ids, fields and a column for each field, as GETALL COLUMNS returns them",
                    )
                    .after("COLUMNS"),
                ],
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (rows, options) = parse(call)?;
        let stored = match rows {
            Rows::Each(rows, args) => write(call, &rows, RowArgs::Each(args), &options)?,
            Rows::One(form, at) => {
                form.with_rows(call, at, |rows| write(call, rows, RowArgs::One(form, at), &options))?
            }
        };
        call.reply_count(stored);
        Ok(())
    }
}

fn write(
    call: &Call<'_>,
    rows: &RowBatch<'_>,
    args: RowArgs,
    options: &WriteOptions,
) -> Result<usize, Error> {
    let stored = write_rows(call, rows, args, options)?;
    SIZES_MSET.count(rows.ids().len());
    Ok(stored)
}

/// The rows of a call: read from their arguments, or still in the one at this index.
enum Rows<'a> {
    Each(RowBatch<'a>, EachArg),
    One(JsonForm, usize),
}

fn parse<'a>(call: &Call<'a>) -> Result<(Rows<'a>, WriteOptions), Error> {
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
            let names_at = fields.value().ok_or_else(|| Error::missing("FIELDS", &MSet::SPEC))?;
            let (rows, places) = EachArg::of_mset(call, names, names_at, args.position())?;
            options.check()?;
            return Ok((Rows::Each(rows, places), options));
        } else if let Some(form) = JsonForm::ALL.into_iter().find(|form| args.is(form.word())) {
            if let Some(fields) = fields.word() {
                return Err(Error::Exclusive(fields, form.word()));
            }
            let at = args.position();
            args.last_value(form.word())?;
            options.check()?;
            return Ok((Rows::One(form, at), options));
        } else {
            options.take_word(&mut args)?;
        }
    }
    let clause = if fields.is_set() { "ROWS" } else { "FIELDS, JSON or COLUMNS" };
    Err(Error::missing(clause, &MSet::SPEC))
}
