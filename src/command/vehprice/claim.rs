//! `VEHPRICE.CLAIM`

use super::mget::ROW_BYTES;
use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{ID_ARG, KEY, KEY_ARG, WRITES, count_reads, each, ids, refill, swept_table};
use crate::command::error::{Error, Range};
use crate::command::grammar::{Choice, TTL_MS, Words};
use crate::command::settings;
use crate::server::{Arg, Call, Command, Example, Spec};
use crate::vehprice::refill::{Claimed, Token};
use crate::vehprice::{Json, Row, TooLong};

/// Claims rows that are missing.
pub struct Claim;

/// How long a claim is held.
const PX: Range = Range { unit: "whole milliseconds", least: 1, most: 600_000 };
const LIMIT: Range = Range { unit: "a whole number", least: 1, most: 10_000_000 };

impl Command for Claim {
    const SPEC: Spec = Spec {
        name: "vehprice.claim",
        summary: "Reads rows of a price table, and claims those that are missing for the caller to fetch.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "write deny-oom",
        categories: "write slow",
        arity: -6,
        keys: WRITES,
        args: &[
            KEY_ARG,
            Arg::integer("milliseconds", "the claims end by themselves after so many milliseconds").after("PX"),
            Arg::integer("count", "claim at most so many rows").after("LIMIT").optional(),
            Arg::integer("milliseconds", "claim rows too that expire in less than so many milliseconds")
                .after("REFRESH")
                .optional(),
            FIELDS_ARG,
            JSON_RAW_ARG,
            ID_ARG.after("IDS").multiple(),
        ],
        about: "\
Single-flight refill: of many pods that find the same rows missing, one asks upstream for each row, the others wait \
(`VEHPRICE.MGET … BLOCK`) or go on with what there is.

Each row that was asked for and is missing is either claimed for the caller, to be fetched and stored with `VEHPRICE.MSET … TOKEN`, \
or pending, as someone else has claimed it; or neither, beyond `LIMIT` and `quotelock.max-claims`. With `FIELDS` a row that \
lacks one of them counts as missing. With `REFRESH` so does a row that is about to expire, but it is answered as usual: one pod \
renews it, the others read on. An id given twice is claimed once. All claims of one call are held under one token, 32 hex digits \
that are never given again; without a claim it is nil.

A claim ends when its row is stored or deleted by anyone (unless stored with `KEEPCLAIM`), when it is released, or after `PX`, at \
most 600,000 ms: so long a pod that died delays others. All claims of a key end by `VEHPRICE.CLEAR`, whether there is a table or \
not; by the deletion, overwriting, renaming, moving or eviction of a table with a live row; and by `FLUSHALL`, `FLUSHDB`, `SWAPDB`, \
a full sync and the turn to a replica. The expiry of a row ends none.

Claims are no data: nothing is saved, replicated or signalled, and they are gone after a restart or a failover. Words stand in any \
order before `IDS`; `PX` is required. `FIELDS`, `JSON` and `RAW` are those of `VEHPRICE.GET`. At most `quotelock.max-batch` ids.",
        replies: &[
            (
                "without `JSON`",
                "a map of `token` (nil if nothing was claimed), `rows` (as `VEHPRICE.MGET`), `claimed` and `pending` (ids, in the order asked)",
            ),
            (
                "with `JSON`",
                r#"one bulk string of at most 512 MiB: `{"token":…,"rows":[…],"claimed":[…],"pending":[…]}`, the token `null` if nothing was claimed"#,
            ),
        ],
        examples: &[
            Example("VEHPRICE.SET prices 4711 FIELDS 1 styleId 12", "(integer) 1"),
            Example(
                "VEHPRICE.CLAIM prices PX 5000 JSON IDS 4711",
                r#""{\"token\":null,\"rows\":[{\"styleId\":\"12\"}],\"claimed\":[],\"pending\":[]}""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let options = parse(call)?;
        let projection = &options.projection;
        let ids = ids(call, options.ids_at)?;
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let table = swept_table(call, &mut key)?;
        let (mut rows, mut hits) = (Vec::with_capacity(ids.len()), 0_usize);
        each(table.as_deref(), ids.iter().copied(), now_ms, |row| {
            hits = hits.saturating_add(usize::from(row.is_some()));
            rows.push(row);
        });
        let early_ms = options.refresh.map(|ms| now_ms.saturating_add(ms));
        let wanted = ids.iter().zip(&rows).filter(|(_, row)| {
            refill::is_missing(**row, projection.names()) || row.is_some_and(|row| ends_before(row, early_ms))
        });
        let wanted = wanted.map(|(id, _)| *id);
        let (token, claimed) =
            refill::claim(call, wanted, options.for_ms, options.limit, settings::max_claims());
        let token = (!claimed.claimed.is_empty()).then_some(token);
        if !projection.json() {
            reply_map(call, projection, token, &rows, &claimed);
        } else if let Err(too_long) = reply_json(call, projection, token, &rows, &claimed) {
            // Who is not told of its claims can't give them up.
            if let Some(token) = token {
                refill::release(call, token, None);
            }
            return Err(too_long.into());
        }
        count_reads(ids.len(), hits);
        Ok(())
    }
}

fn ends_before(row: Row<'_>, moment_ms: Option<i64>) -> bool {
    row.expiry().unix_ms().zip(moment_ms).is_some_and(|(end_ms, moment_ms)| end_ms < moment_ms)
}

/// The words of a claim.
struct Options<'a> {
    for_ms: i64,
    limit: usize,
    refresh: Option<i64>,
    projection: Projection<'a>,
    ids_at: usize,
}

fn parse<'a>(call: &Call<'a>) -> Result<Options<'a>, Error> {
    let mut words = Words::new(Claim::SPEC.name, call.args_from(WORDS));
    let (mut px, mut limit, mut refresh) = (Choice::none(), Choice::none(), Choice::none());
    let mut projection = Projection::whole();
    while words.advance() {
        if words.is("PX") {
            px.take("PX", words.expiry("PX", PX)?)?;
        } else if words.is("LIMIT") {
            limit.take("LIMIT", words.integer("LIMIT", LIMIT)?)?;
        } else if words.is("REFRESH") {
            refresh.take("REFRESH", words.integer("REFRESH", TTL_MS)?)?;
        } else if words.is("IDS") {
            projection.check()?;
            let for_ms = px.value().ok_or(Error::Missing("PX"))?;
            let ids_at = words.read.saturating_add(WORDS);
            if ids_at >= call.argc() {
                return Err(Error::NoIds);
            }
            let limit =
                limit.value().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(Options { for_ms, limit, refresh: refresh.value(), projection, ids_at });
        } else {
            projection.take(&mut words)?;
        }
    }
    Err(Error::Missing("IDS"))
}

fn reply_map(
    call: &Call<'_>,
    projection: &Projection<'_>,
    token: Option<Token>,
    rows: &[Option<Row<'_>>],
    claimed: &Claimed<'_>,
) {
    call.reply_map(4);
    call.reply_bytes(b"token");
    match token {
        Some(token) => call.reply_bytes(token.to_string().as_bytes()),
        None => call.reply_nil(),
    }
    call.reply_bytes(b"rows");
    call.reply_array(rows.len());
    rows.iter().for_each(|row| projection.reply(call, *row));
    for (name, ids) in [("claimed", &claimed.claimed), ("pending", &claimed.pending)] {
        call.reply_bytes(name.as_bytes());
        call.reply_array(ids.len());
        ids.iter().for_each(|id| call.reply_bytes(id));
    }
}

fn reply_json(
    call: &Call<'_>,
    projection: &Projection<'_>,
    token: Option<Token>,
    rows: &[Option<Row<'_>>],
    claimed: &Claimed<'_>,
) -> Result<(), TooLong> {
    let mut json = Json::expecting(rows.len().saturating_mul(ROW_BYTES));
    json.add(b"{\"token\":");
    match token {
        Some(token) => json.add(format!("\"{token}\"").as_bytes()),
        None => json.add(b"null"),
    }
    json.add(b",\"rows\":[");
    let mut before: &[u8] = b"";
    for row in rows {
        json.add(before);
        before = b",";
        projection.write_json(*row, &mut json);
    }
    for (name, ids) in [("],\"claimed\":[", &claimed.claimed), ("],\"pending\":[", &claimed.pending)] {
        json.add(name.as_bytes());
        let mut before: &[u8] = b"\"";
        for id in ids {
            json.add(before);
            before = b",\"";
            json.add_escaped(id);
            json.add(b"\"");
        }
    }
    json.add(b"]}");
    call.reply_bytes(json.whole()?);
    Ok(())
}

/// Where the words begin.
const WORDS: usize = 2;
