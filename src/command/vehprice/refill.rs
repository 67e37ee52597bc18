//! The server's claims and waiters: what commands and events do to them, and the turns in which waiters are woken.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{KEY, MGet, swept_table};
use crate::command::counters::{
    CLAIMS_ENDED, CLAIMS_EXPIRED, CLAIMS_GRANTED, CLAIMS_PENDING, CLAIMS_REFUSED, CLAIMS_RELEASED,
    CLAIMS_WAITING,
};
use crate::command::error::Error;
use crate::server::{Blocked, Call, Event, Shared, Turn, clock_ms, expiry_ms, seed, set_alarm};
use crate::vehprice::refill::{ClaimTerms, Claimed, Refill, Token, WaiterId};
use crate::vehprice::{Row, Table, TableKey};

/// All claims and waiters. It is worked on only where the server is asked for nothing that calls the module.
static REFILL: Shared<Refill<Option<Blocked>>> = Shared::new(|| Refill::new(seed()));

/// Whether there is any claim.
static ANY: AtomicBool = AtomicBool::new(false);

/// How many claims that have ended are dropped before a turn looks at the clock, and about how many ids it looks at or answers.
const DROPPED_AT_ONCE: usize = 500;
const IDS_A_TURN: usize = 16_000;

/// The longest the alarm is set to; the timer counts on.
const LONGEST_ALARM_MS: i64 = 60_000;

/// Looks at claims and waiters, or changes them; then the numbers that `INFO` shows are right again, and the alarm is set.
fn with<T>(work: impl FnOnce(&mut Refill<Option<Blocked>>) -> T) -> T {
    let (done, is_due, next_end_ms) = REFILL.with(|refill| {
        let done = work(refill);
        ANY.store(!refill.claims().is_empty(), Relaxed);
        CLAIMS_PENDING.set(refill.claims().len());
        CLAIMS_WAITING.set(refill.waiters().len());
        (done, refill.is_due(), refill.claims().next_end_ms())
    });
    if is_due {
        set_alarm(0);
    } else if let Some(end_ms) = next_end_ms {
        set_alarm(end_ms.saturating_sub(clock_ms()).clamp(0, LONGEST_ALARM_MS));
    }
    done
}

/// Whether there is any claim: without one nothing else here has anything to do.
pub(super) fn any() -> bool {
    ANY.load(Relaxed)
}

/// The key of the running command.
fn table_key<'a>(call: &Call<'a>) -> TableKey<'a> {
    TableKey { db: call.db(), name: call.arg(KEY) }
}

/// Claims rows for the caller.
pub(super) fn claim<'i>(
    call: &Call<'_>,
    ids: impl Iterator<Item = &'i [u8]>,
    for_ms: i64,
    limit: usize,
    most: usize,
) -> (Token, Claimed<'i>) {
    let token = new_token();
    let now_ms = call.now_ms();
    let terms = ClaimTerms { token, now_ms, until_ms: now_ms.saturating_add(for_ms), limit, most };
    let claimed = with(|refill| refill.claim(table_key(call), ids, terms));
    CLAIMS_GRANTED.add(claimed.claimed.len());
    CLAIMS_REFUSED.add(claimed.refused);
    CLAIMS_EXPIRED.add(claimed.expired);
    (token, claimed)
}

/// 128 random bits.
fn new_token() -> Token {
    let [first, second, ..] = seed();
    Token::new((u128::from(first) << 64 | u128::from(second)).to_ne_bytes())
}

/// Gives up claims held under a token: on these ids, or all. Returns how many.
pub(super) fn release(call: &Call<'_>, token: Token, ids: Option<&[&[u8]]>) -> usize {
    let released = with(|refill| refill.release(table_key(call), token, ids, call.now_ms()));
    CLAIMS_RELEASED.add(released);
    released
}

/// Which of these ids are claimed under a token.
pub(super) fn held(call: &Call<'_>, token: Option<Token>, ids: &[&[u8]]) -> Vec<bool> {
    let table = table_key(call);
    let held = |token| {
        REFILL.with(|refill| {
            let claims = refill.claims();
            ids.iter().map(|id| claims.is_held(table, token, id, call.now_ms())).collect()
        })
    };
    token.filter(|_| any()).map_or_else(|| vec![false; ids.len()], held)
}

/// Rows were stored or deleted: their claims end, unless they are kept.
pub(super) fn written<'i>(call: &Call<'_>, ids: impl Iterator<Item = &'i [u8]>, keep: bool) {
    let table = table_key(call);
    if keep {
        with(|refill| refill.stored(table, ids));
    } else {
        CLAIMS_ENDED.add(with(|refill| refill.end_each(table, ids)));
    }
}

/// The table of the running command was deleted, or is another: all its claims end.
pub(super) fn cleared(call: &Call<'_>) {
    if any() {
        CLAIMS_ENDED.add(with(|refill| refill.end_table(table_key(call))));
    }
}

/// Something happened without a command of ours. What was claimed of a table that goes is claimed no longer; but one that goes
/// when its last row is over goes by itself, and the expiry of a row ends no claim.
pub fn on_event(event: &Event<'_>) {
    if !any() {
        return;
    }
    CLAIMS_ENDED.add(match event {
        Event::TableGoes(_, table) if table.has_outlived_its_rows(expiry_ms()) => 0,
        Event::TableGoes(key, _) => with(|refill| refill.end_table(*key)),
        Event::DatabaseChanged(db) => with(|refill| refill.end_database(*db)),
    });
}

/// Whether a row counts as missing: it is not there, or lacks one of these fields.
pub(super) fn is_missing(row: Option<Row<'_>>, fields: &[impl AsRef<str>]) -> bool {
    row.is_none_or(|row| fields.iter().any(|name| row.value(name.as_ref().as_bytes()).is_none()))
}

/// Has the client wait if one of these rows is both missing and claimed; false if none is.
pub(super) fn wait(
    call: &Call<'_>,
    timeout_ms: i64,
    table: Option<&Table>,
    ids: &[&[u8]],
    fields: &[&str],
) -> bool {
    if !any() || !call.can_wait() {
        return false;
    }
    let now_ms = call.now_ms();
    let missing = |id: &[u8]| is_missing(table.and_then(|table| table.get(id, now_ms)), fields);
    let waiter = with(|refill| refill.wait(table_key(call), ids, fields, now_ms, missing, None));
    let Some(waiter) = waiter else {
        return false;
    };
    let blocked = call.wait::<MGet>(KEY, timeout_ms, waiter);
    if blocked.is_none() {
        forget(waiter);
        return false;
    }
    with(|refill| {
        if let Some(waiter) = refill.waiter(waiter) {
            waiter.handle = blocked;
        }
    });
    true
}

/// Something was stored at the key that a client waits on. If that is a table that came there as it is, all claims end.
pub(super) fn ready(call: &Call<'_>) -> Result<(), Error> {
    let mut key = call.read_key(KEY)?;
    swept_table(call, &mut key)?;
    Ok(())
}

/// A client waits no longer.
pub(super) fn forget(waiter: WaiterId) {
    with(|refill| refill.remove(waiter));
}

/// A turn: claims that have ended are dropped, for a millisecond or so, and waiters that are due are judged and woken, until so
/// many ids were looked at. Others are served in between; the rest is for the next.
pub fn on_alarm(turn: &mut Turn) {
    let now_ms = turn.now_ms();
    let began_ms = clock_ms();
    while clock_ms() == began_ms && REFILL.with(|refill| refill.claims().have_ended(now_ms)) {
        CLAIMS_EXPIRED.add(REFILL.with(|refill| refill.drop_ended(now_ms, DROPPED_AT_ONCE)));
    }
    let mut looked = 0_usize;
    while looked < IDS_A_TURN {
        let Some(waiter) = REFILL.with(Refill::next_due) else {
            break;
        };
        looked = looked.saturating_add(judge(turn, waiter, now_ms)).saturating_add(1);
    }
    // The alarm is set again if there is more to do.
    with(|_| {});
}

/// Judges a waiter, and has it answered if it need not wait on. Returns how many ids were looked at and answered.
fn judge(turn: &mut Turn, waiter: WaiterId, now_ms: i64) -> usize {
    let found = REFILL.with(|refill| {
        refill.waiter(waiter).map(|found| {
            let key = found.table();
            (key.db, key.name.to_vec(), found.fields().to_vec(), found.asked())
        })
    });
    let Some((db, name, fields, asked)) = found else {
        return 0;
    };
    let judged = turn.with_key(TableKey { db, name: &name }, |call| {
        let mut key = call.read_key(KEY);
        // A key of another type has no rows; the answer will say so.
        let table = key.as_mut().ok().and_then(|key| swept_table(call, key).ok().flatten());
        let table = table.as_deref();
        let missing = |id: &[u8]| is_missing(table.and_then(|table| table.get(id, now_ms)), &fields);
        REFILL.with(|refill| refill.judge(waiter, now_ms, missing))
    });
    if judged.waits {
        return judged.looked;
    }
    // Answering forgets the waiter, so its handle is taken out first.
    let handle = REFILL.with(|refill| refill.waiter(waiter).and_then(|found| found.handle.take()));
    if let Some(blocked) = handle {
        blocked.wake();
    }
    forget(waiter);
    judged.looked.saturating_add(asked)
}
