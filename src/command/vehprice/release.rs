//! `VEHPRICE.RELEASE`

use super::{ID_ARG, KEY, KEY_ARG, WRITES, ids, refill, swept_table};
use crate::command::error::Error;
use crate::server::{Arg, Call, Command, Example, Spec};
use crate::vehprice::refill::Token;

/// Gives up claims.
pub struct Release;

/// Where the token stands, and where the ids begin.
const TOKEN: usize = 2;
const IDS: usize = 3;

impl Command for Release {
    const SPEC: Spec = Spec {
        name: "vehprice.release",
        summary: "Gives up claims on rows of a price table.",
        complexity: "O(N) where N is the number of ids, or of the claims under the token",
        since: "0.1.0",
        flags: "write",
        categories: "write slow",
        arity: -3,
        keys: WRITES,
        args: &[
            KEY_ARG,
            Arg::string("token", "the token that VEHPRICE.CLAIM returned"),
            ID_ARG.optional().multiple(),
        ],
        about: "\
What upstream did not answer is given up, so that another pod can claim it at once. Without ids, all claims under the token. Who \
waits for the rows is answered.

A token that is unknown, used up or past its end gives up nothing, and is no error. At most `quotelock.max-batch` ids.",
        replies: &[("always", "how many claims were given up")],
        examples: &[Example("VEHPRICE.RELEASE prices 00000000000000000000000000000000", "(integer) 0")],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let ids = if call.argc() > IDS { Some(ids(call, IDS)?) } else { None };
        let mut key = call.read_key(KEY)?;
        swept_table(call, &mut key)?;
        drop(key);
        let token = Token::parse(call.arg(TOKEN));
        call.reply_count(token.map_or(0, |token| refill::release(call, token, ids.as_deref())));
        Ok(())
    }
}
