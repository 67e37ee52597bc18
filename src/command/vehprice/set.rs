//! `VEHPRICE.SET`

use super::batch::{Batch, CONDITION_ARG, EXPIRY_ARG, MERGE_ARG, Options, TOKEN_ARG};
use super::projection::NUM_FIELDS;
use super::{ID_ARG, KEY_ARG, WRITES};
use crate::command::error::Error;
use crate::command::grammar::Words;
use crate::server::{Arg, Call, Command, Example, Spec};

/// Stores a row.
pub struct Set;

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
                    Arg::integer("numfields", "how many fields follow"),
                    Arg::block(
                        "data",
                        &[
                            Arg::string("field", "the name of a field"),
                            Arg::string("value", "its value"),
                        ],
                    )
                    .multiple(),
                ],
            )
            .after("FIELDS"),
        ],
        about: "\
Replaces the whole row: one row, one expiry. `MERGE` sets the named fields, keeps the others, and keeps the row's expiry \
unless one is given.

Without an expiry the row gets the setting `quotelock.price-ttl-ms`. `KEEPTTL` keeps the expiry of the row that is replaced; \
a new row gets the default. With `EXAT` or `PXAT` in the past the row is deleted, and 0 is answered.

A row is visible until its expiry instant and never after. The key expires with its longest-lived row, and goes with its last.

An id and a name have 1 to 256 bytes of UTF-8, a value at most 1 MiB of it, a row 1 to 64 fields. `FIELDS` comes last; the \
words before it stand in any order.",
        replies: &[
            ("the row is stored", "1"),
            ("`NX` or `XX` was not met, the row is not claimed under the token, or the expiry is in the past", "0"),
        ],
        examples: &[
            Example("VEHPRICE.SET prices 4711 EX 600 FIELDS 2 styleId 12 pricingId 571", "(integer) 1"),
            Example("VEHPRICE.SET prices 4711 NX FIELDS 1 styleId 13", "(integer) 0"),
            Example("VEHPRICE.SET prices 4711 MERGE FIELDS 1 plan gold", "(integer) 1"),
            Example(
                "VEHPRICE.GET prices 4711 JSON",
                r#""{\"styleId\":\"12\",\"pricingId\":\"571\",\"plan\":\"gold\"}""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        super::id(call.arg(2))?;
        let mut options = Options::new(call);
        let mut words = Words::new(Self::SPEC.name, call.args_from(WORDS));
        while words.advance() {
            if !words.is("FIELDS") {
                options.take(&mut words)?;
                continue;
            }
            let fields = words.integer("FIELDS", NUM_FIELDS)?;
            let fields_at = words.read.saturating_add(WORDS);
            let count = usize::try_from(fields).unwrap_or_default();
            if call.argc().checked_sub(fields_at) != count.checked_mul(2) {
                return Err(Error::FieldsAndValues { fields });
            }
            let stored = Batch::of_pairs(call, ID, fields_at, count)?.write(call, &options)?;
            call.reply_count(stored);
            return Ok(());
        }
        Err(Error::Missing("FIELDS"))
    }
}

/// Where the id stands, and where the words begin.
const ID: usize = 2;
const WORDS: usize = 3;
