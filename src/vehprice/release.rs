//! `VEHPRICE.RELEASE`

use quotelock_server::{Arg, Call, Command, Spec};

use super::ids::IdArgs;
use super::open_table::OpenTable;
use super::write_options::token;
use super::{ID_ARG, KEY_ARG, WRITES, single_flight};
use crate::error::Error;

/// Gives up claims.
pub(crate) struct Release;

/// Where the token is, and where the ids begin.
const TOKEN: usize = 2;
const IDS: usize = 3;

impl Command for Release {
    const SPEC: Spec = Spec {
        name: "vehprice.release",
        summary: "Releases claims on rows of a price table.",
        complexity: "O(N) where N is the number of ids, or of the claims under the token",
        since: "0.1.0",
        flags: "write",
        categories: "write slow",
        arity: -3,
        keys: WRITES,
        args: &[
            KEY_ARG,
            Arg::string("token", "the token under which the rows were claimed"),
            ID_ARG.optional().multiple(),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let token = token(call.arg(TOKEN))?;
        let ids = if call.argc() > IDS { Some(IdArgs::new(call, IDS)?.checked()?) } else { None };
        // Opening it ends the claims of a table that was there before.
        drop(OpenTable::read(call)?);
        call.reply_count(single_flight::release(call, token, ids.as_deref()));
        Ok(())
    }
}
