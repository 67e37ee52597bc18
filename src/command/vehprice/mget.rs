//! `VEHPRICE.MGET`

use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{ID_ARG, IdsInTurn, KEY, KEY_ARG, READS, count_reads, each, ids, refill, swept_table};
use crate::command::error::{Error, Range};
use crate::command::grammar::{Choice, LONGEST_MS, Words};
use crate::command::settings::check_batch;
use crate::server::{Arg, Call, Command, Example, Spec, Waiting};
use crate::vehprice::Json;

/// Reads rows.
pub struct MGet;

/// The words that an id can't be mistaken for when it comes first.
const FIRST_WORDS: [&str; 4] = ["FIELDS", "JSON", "BLOCK", "IDS"];

/// Where the words or the ids begin.
const WORDS: usize = 2;

const BLOCK_ARG: Arg =
    Arg::integer("milliseconds", "wait so long for rows that are being fetched; 0: without end")
        .after("BLOCK")
        .optional();

impl Command for MGet {
    const SPEC: Spec = Spec {
        name: "vehprice.mget",
        summary: "Returns rows of a price table.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly blocking",
        categories: "read slow blocking",
        arity: -3,
        keys: READS,
        args: &[
            KEY_ARG,
            Arg::one_of(
                "ids-or-options",
                &[
                    ID_ARG.multiple(),
                    Arg::block(
                        "options",
                        &[FIELDS_ARG, JSON_RAW_ARG, BLOCK_ARG, ID_ARG.after("IDS").multiple()],
                    ),
                ],
            ),
        ],
        about: "\
One answer for each id, in order, all read at one instant. `JSON` is the fastest form for server and client.

Words are read only if the first argument after the key is `FIELDS`, `JSON`, `BLOCK` or `IDS`, and then `IDS` must come before \
the ids: a vehicle with such an id is passed after `IDS`. At most `quotelock.max-batch` ids. `FIELDS`, `JSON` and `RAW` are those \
of `VEHPRICE.GET`.

With `BLOCK` the client waits as long as a row that was asked for is both missing and claimed by someone (`VEHPRICE.CLAIM`), at most \
so many milliseconds (0: without end; up to 315360000000). Then it is answered as without it: what is still missing is nil. With \
`FIELDS` a row that lacks one of them counts as missing. Only the client waits, the server goes on; what is sent after it on the \
same connection waits too, so give it a connection of its own. Where a client can't wait, inside `MULTI`, Lua and Functions, and on \
Valkey as a subscriber, it is answered at once. `CLIENT UNBLOCK` ends the wait as the time does, or with an error; when the server becomes \
a replica, or the slot moves, the error is Redis's own.",
        replies: &[
            ("without `JSON`", "an array: for each id nil, or what `VEHPRICE.GET` answers"),
            ("with `JSON`", "one bulk string of at most 512 MiB: an array of objects and `null`"),
        ],
        examples: &[
            Example("VEHPRICE.MSET prices FIELDS 1 styleId ROWS 4711 12 4712 13", "(integer) 2"),
            Example("VEHPRICE.MGET prices 4711 4799", "1) 1) \"styleId\"\n   2) \"12\"\n2) (nil)"),
            Example(
                "VEHPRICE.MGET prices JSON IDS 4712 4799 4711",
                r#""[{\"styleId\":\"13\"},null,{\"styleId\":\"12\"}]""#,
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        run(call, true)
    }
}

impl Waiting for MGet {
    fn ready(call: &Call<'_>) -> Result<(), Error> {
        refill::ready(call)
    }

    fn answer(call: &Call<'_>, waiter: u64) -> Result<(), Error> {
        refill::forget(waiter);
        run(call, false)
    }

    fn forget(waiter: u64) {
        refill::forget(waiter);
    }
}

/// Answers, or first has the client wait if it asked for that and may.
fn run(call: &Call<'_>, may_wait: bool) -> Result<(), Error> {
    let mut projection = Projection::whole();
    let (ids_at, block_ms) = parse(call, &mut projection)?;
    let count = call.argc().saturating_sub(ids_at);
    check_batch(call, "ids", count)?;
    let mut key = call.read_key(KEY)?;
    let now_ms = call.now_ms();
    // What is wrong with the ids comes before what is wrong with the key.
    let table = swept_table(call, &mut key).or_else(|wrong| ids(call, ids_at).and(Err(wrong)))?;
    let table = table.as_deref();
    if let Some(block_ms) = block_ms.filter(|_| may_wait) {
        let ids = ids(call, ids_at)?;
        if refill::wait(call, block_ms, table, &ids, projection.names()) {
            return Ok(());
        }
    }
    let mut hits = 0_usize;
    if projection.json() {
        // Nothing is answered before the end, so the ids need not be gone through first.
        let mut ids = IdsInTurn::new(call.args_from(ids_at));
        let mut json = Json::expecting(count.saturating_mul(ROW_BYTES));
        let mut before = b"[";
        each(table, &mut ids, now_ms, |row| {
            json.add(before);
            before = b",";
            hits = hits.saturating_add(usize::from(row.is_some()));
            projection.write_json(row, &mut json);
        });
        ids.check()?;
        json.add(b"]");
        call.reply_bytes(json.whole()?);
    } else {
        let ids = ids(call, ids_at)?;
        call.reply_array(count);
        each(table, ids.into_iter(), now_ms, |row| {
            hits = hits.saturating_add(usize::from(row.is_some()));
            projection.reply(call, row);
        });
    }
    count_reads(count, hits);
    Ok(())
}

/// What a row takes in JSON, about.
pub(super) const ROW_BYTES: usize = 48;

/// Reads the words, if there are any: where the ids begin, and how long the client would wait.
fn parse<'a>(call: &Call<'a>, projection: &mut Projection<'a>) -> Result<(usize, Option<i64>), Error> {
    let mut words = Words::new(MGet::SPEC.name, call.args_from(WORDS));
    let first = call.arg(WORDS);
    if !FIRST_WORDS.iter().any(|word| first.eq_ignore_ascii_case(word.as_bytes())) {
        return Ok((WORDS, None));
    }
    let mut block = Choice::none();
    while words.advance() {
        if words.is("IDS") {
            projection.check()?;
            let ids_at = words.read.saturating_add(WORDS);
            return if ids_at < call.argc() { Ok((ids_at, block.value())) } else { Err(Error::NoIds) };
        } else if words.is("BLOCK") {
            block.take("BLOCK", words.timeout("BLOCK", BLOCK)?)?;
        } else {
            projection.take(&mut words)?;
        }
    }
    Err(Error::Missing("IDS"))
}

/// How long a client waits; 0: without end.
const BLOCK: Range = Range { unit: "whole milliseconds", least: 0, most: LONGEST_MS };
