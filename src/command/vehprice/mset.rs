//! `VEHPRICE.MSET`

use super::batch::{Batch, CONDITION_ARG, EXPIRY_ARG, MERGE_ARG, Options, TOKEN_ARG, push_name};
use super::projection::NUM_FIELDS;
use super::{ID_ARG, KEY_ARG, WRITES, check_batch};
use crate::command::error::Error;
use crate::command::grammar::{Choice, Words};
use crate::server::{Arg, Call, Command, Example, Spec};

/// Stores rows with the same fields.
pub struct MSet;

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
        about: "\
`VEHPRICE.SET` for many rows in one step: all or nothing where the arguments are wrong, and row by row for `NX` and `XX`, as \
in `ZADD`: of many pods that fill the same missing rows, the first one's rows stand.

An id given twice counts once: the last one, judged as the row was before the call. `ROWS` comes last and once: after it, \
every row is an id and as many values as there are fields. At most `quotelock.max-batch` rows.",
        replies: &[("always", "how many rows are stored")],
        examples: &[
            Example("VEHPRICE.MSET prices EX 600 FIELDS 2 styleId pricingId ROWS 4711 12 571 4712 12 580", "(integer) 2"),
            Example("VEHPRICE.MSET prices NX FIELDS 1 styleId ROWS 4712 13 4713 13", "(integer) 1"),
            Example(
                "VEHPRICE.MGET prices JSON IDS 4711 4712 4713",
                r#""[{\"styleId\":\"12\",\"pricingId\":\"571\"},{\"styleId\":\"12\",\"pricingId\":\"580\"},{\"styleId\":\"13\"}]""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut options = Options::new(call);
        // Where the first name stands.
        let (mut names, mut names_at) = (Vec::new(), Choice::none());
        let mut words = Words::new(Self::SPEC.name, call.args_from(WORDS));
        while words.advance() {
            if words.is("FIELDS") {
                let fields = words.integer("FIELDS", NUM_FIELDS)?;
                names_at.take("FIELDS", words.read.saturating_add(WORDS))?;
                for _ in 0..fields {
                    let name = words.argument().ok_or(Error::TooFewFields { word: "FIELDS", fields })?;
                    push_name(&mut names, name)?;
                }
            } else if words.is("ROWS") {
                let names_at = names_at.value().ok_or(Error::Missing("FIELDS"))?;
                let rows_at = words.read.saturating_add(WORDS);
                let arguments = call.argc().saturating_sub(rows_at);
                let row = names.len().saturating_add(1);
                if arguments == 0 || !arguments.is_multiple_of(row) {
                    return Err(Error::BadRows(names.len()));
                }
                check_batch(call, "rows", arguments.checked_div(row).unwrap_or_default())?;
                let stored = Batch::of_rows(call, names, names_at, rows_at)?.write(call, &options)?;
                call.reply_count(stored);
                return Ok(());
            } else {
                options.take(&mut words)?;
            }
        }
        Err(Error::Missing(if names_at.value().is_some() { "ROWS" } else { "FIELDS" }))
    }
}

/// Where the words begin.
const WORDS: usize = 2;
