//! `VEHPRICE.CLAIM`

use quotelock_core::json::JsonWriter;
use quotelock_core::single_flight::{ClaimOutcome, Token};
use quotelock_core::table::Row;
use quotelock_core::table::bounds::MAX_ID_BYTES;
use quotelock_server::{Arg, Call, Command, Spec};

use super::columns::write_columns;
use super::ids::{IDS_OR_LIST_ARG, Ids};
use super::mget::ROW_BYTES;
use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, FORMAT_ARG, Projection};
use super::single_flight::MissingRows;
use super::{KEY_ARG, WRITES, count_reads, single_flight, write_options};
use crate::args::{ArgCursor, Exclusive, TTL_MS};
use crate::counters::SIZES_CLAIM;
use crate::error::{Error, Range};
use crate::reply::{self, MAX_STRING_HEAD_BYTES, ReplySink, check_length, json_writer, too_long};

/// Claims rows that are missing.
pub(crate) struct Claim;

/// Where the words begin.
const WORDS: usize = 2;

/// How long a claim is held.
const PX: Range = Range { unit: "whole milliseconds", min: 1, max: 600_000 };
const LIMIT: Range = Range { unit: "a whole number", min: 1, max: 10_000_000 };

impl Command for Claim {
    const SPEC: Spec = Spec {
        name: "vehprice.claim",
        summary: "Returns rows of a price table, and claims the missing ones for the caller to fetch.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "write deny-oom",
        categories: "write slow",
        arity: -6,
        keys: WRITES,
        args: &[
            KEY_ARG,
            Arg::integer("milliseconds", "how long the claims last").after("PX"),
            Arg::string(
                "token",
                "32 random hex digits that name the claims, so that the call can be sent again",
            )
            .after("TOKEN")
            .optional(),
            Arg::integer("count", "claim at most this many rows").after("LIMIT").optional(),
            Arg::integer("milliseconds", "also claim rows that expire within this time")
                .after("REFRESH")
                .optional(),
            FIELDS_ARG,
            FORMAT_ARG,
            IDS_OR_LIST_ARG,
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let request = parse(call)?;
        request.ids.with_checked(|ids| claim(call, &request, ids))?
    }
}

/// Claims and replies.
fn claim(call: &Call<'_>, request: &Request<'_, '_>, ids: &[&[u8]]) -> Result<(), Error> {
    let projection = &request.projection;
    let open = OpenTable::read(call)?;
    let mut rows = Vec::with_capacity(ids.len());
    open.each_row(ids.iter().copied(), |row| rows.push(row));
    let refresh_before_ms = request.refresh_ms.map(|ms| call.now_ms().saturating_add(ms));
    let mut missing = MissingRows::new(projection.names());
    let wanted = ids.iter().zip(&rows).filter(|(_, row)| {
        missing.is_missing(**row) || row.is_some_and(|row| expires_before(row, refresh_before_ms))
    });
    let wanted = wanted.map(|(id, _)| *id);
    let token = request.token.unwrap_or_else(single_flight::new_token);
    let outcome = single_flight::claim(call, wanted, token, request.for_ms, request.limit);
    let token = (!outcome.claimed.is_empty()).then_some(token);
    let replied = if projection.is_json() || projection.is_columns() {
        reply_json(call, projection, token, &rows, &outcome)
    } else {
        let max_len = projection.max_each_len(&rows) + (ids.len() + 1) * MAX_ID_REPLY_BYTES;
        check_length(max_len, |length| reply_map(length, projection, token, &rows, &outcome))
            .map(|()| reply_map(call, projection, token, &rows, &outcome))
    };
    if replied.is_ok() {
        count_reads(ids.len(), rows.iter().flatten().count());
        SIZES_CLAIM.count(ids.len());
    } else if let Some(token) = token.filter(|_| request.token.is_none()) {
        // A caller that isn't told of its token can't release its claims.
        single_flight::release(call, token, None);
    }
    replied
}

fn expires_before(row: Row<'_>, time_ms: Option<i64>) -> bool {
    row.expiry().unix_ms().zip(time_ms).is_some_and(|(expiry_ms, time_ms)| expiry_ms < time_ms)
}

/// What is asked for.
struct Request<'c, 'a> {
    for_ms: i64,
    /// The caller's own.
    token: Option<Token>,
    limit: usize,
    refresh_ms: Option<i64>,
    projection: Projection<'a>,
    ids: Ids<'c, 'a>,
}

fn parse<'c, 'a>(call: &'c Call<'a>) -> Result<Request<'c, 'a>, Error> {
    let (mut px, mut token) = (Exclusive::unset(), Exclusive::unset());
    let (mut limit, mut refresh) = (Exclusive::unset(), Exclusive::unset());
    let mut projection = Projection::whole();
    let mut args = ArgCursor::new(Claim::SPEC.name, WORDS, call.args_from(WORDS));
    while args.advance() {
        if args.is("PX") {
            px.set("PX", args.expiry("PX", PX)?)?;
        } else if args.is("TOKEN") {
            token.set("TOKEN", write_options::token(args.value("TOKEN")?)?)?;
        } else if args.is("LIMIT") {
            limit.set("LIMIT", args.integer("LIMIT", LIMIT)?)?;
        } else if args.is("REFRESH") {
            refresh.set("REFRESH", args.integer("REFRESH", TTL_MS)?)?;
        } else if let Some(ids) = Ids::take_word(call, &mut args)? {
            projection.check()?;
            projection.check_columns()?;
            let for_ms = px.value().ok_or_else(|| Error::missing("PX", &Claim::SPEC))?;
            let limit = limit.value().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
            return Ok(Request {
                for_ms,
                token: token.value(),
                limit,
                refresh_ms: refresh.value(),
                projection,
                ids,
            });
        } else {
            projection.take_word_or_columns(&mut args)?;
        }
    }
    Err(Error::missing("IDS or LIST", &Claim::SPEC))
}

/// The most an id takes, and everything but rows and ids together.
const MAX_ID_REPLY_BYTES: usize = MAX_STRING_HEAD_BYTES + MAX_ID_BYTES;

fn reply_map(
    to: &impl ReplySink,
    projection: &Projection<'_>,
    token: Option<Token>,
    rows: &[Option<Row<'_>>],
    outcome: &ClaimOutcome<'_>,
) {
    to.reply_map(4);
    to.reply_bytes(b"token");
    match token {
        Some(token) => to.reply_bytes(token.to_string().as_bytes()),
        None => to.reply_nil(),
    }
    to.reply_bytes(b"rows");
    projection.reply_each(to, rows);
    for (name, ids) in [("claimed", &outcome.claimed), ("pending", &outcome.pending)] {
        to.reply_bytes(name.as_bytes());
        to.reply_array(ids.len());
        ids.iter().for_each(|id| to.reply_bytes(id));
    }
}

fn reply_json(
    call: &Call<'_>,
    projection: &Projection<'_>,
    token: Option<Token>,
    rows: &[Option<Row<'_>>],
    outcome: &ClaimOutcome<'_>,
) -> Result<(), Error> {
    let mut json = json_writer(rows.len() * ROW_BYTES);
    json.write_raw(b"{\"token\":");
    match token {
        Some(token) => json.write_raw(format!("\"{token}\"").as_bytes()),
        None => json.write_raw(b"null"),
    }
    json.write_raw(b",\"rows\":");
    if projection.is_columns() {
        write_columns(rows, projection, &mut json)?;
    } else {
        write_rows(rows, projection, &mut json)?;
    }
    for (name, ids) in [(",\"claimed\":[", &outcome.claimed), ("],\"pending\":[", &outcome.pending)] {
        json.write_raw(name.as_bytes());
        let mut separator: &[u8] = b"\"";
        for id in ids {
            json.write_raw(separator);
            separator = b",\"";
            json.write_escaped(id);
            json.write_raw(b"\"");
        }
    }
    json.write_raw(b"]}");
    reply::reply_json(call, &mut json)
}

/// Writes an array of rows.
fn write_rows(
    rows: &[Option<Row<'_>>],
    projection: &Projection<'_>,
    json: &mut JsonWriter,
) -> Result<(), Error> {
    json.write_raw(b"[");
    let (mut separator, mut is_measured): (&[u8], _) = (b"", false);
    let mut rows = rows.iter();
    while let Some(row) = rows.next() {
        json.write_raw(separator);
        separator = b",";
        projection.write_json(*row, json);
        if json.is_long() && !is_measured {
            is_measured = true;
            json.make_room(rows.clone().map(|row| projection.min_json_len(*row))).map_err(too_long)?;
        }
    }
    json.write_raw(b"]");
    Ok(())
}
