//! `VEHPRICE.GET`

use std::iter;

use quotelock_server::{Call, Command, Spec};

use super::ids::id;
use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{ID_ARG, KEY_ARG, READS, count_reads};
use crate::args::ArgCursor;
use crate::error::Error;
use crate::reply::{check_length, json_writer, reply_json, too_long};

/// Reads a row.
pub(crate) struct Get;

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
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let (id, projection) = parse(call)?;
        let open = OpenTable::read(call)?;
        let row = open.row(id);
        if projection.is_json() {
            let mut json = json_writer(0);
            json.make_room(iter::once(projection.min_json_len(row))).map_err(too_long)?;
            projection.write_json(row, &mut json);
            reply_json(call, &mut json)?;
        } else {
            check_length(projection.max_reply_len(row), |length| projection.reply(length, row))?;
            projection.reply(call, row);
        }
        count_reads(1, usize::from(row.is_some()));
        Ok(())
    }
}

fn parse<'a>(call: &Call<'a>) -> Result<(&'a [u8], Projection<'a>), Error> {
    let id = id(call.arg(2))?;
    let projection = Projection::parse(ArgCursor::new(Get::SPEC.name, 3, call.args_from(3)))?;
    Ok((id, projection))
}
