//! Clients that wait for rows someone else is fetching: blocking them, and checking on the timer whether
//! their wait ends.

use std::sync::Arc;

use quotelock_core::single_flight::{SingleFlight, TableKey, WaiterId, WaitingClient};
use quotelock_server::{BlockingCommand, Call, KeyName, TimerContext, clock_ms};

use super::ids::Ids;
use super::open_table::{Intent, OpenTable, prepare};
use super::single_flight::{Client, MissingRows, has_claims, update, with_state};
use super::{KEY, table_key};
use crate::counters::CLAIMS_EXPIRED;
use crate::data_type::PriceTable;
use crate::error::Error;

/// How many expired claims are reaped before the clock is looked at.
const REAP_BATCH: usize = 500;

/// About how many ids one run of the timer scans or has answered.
const MAX_IDS_PER_RUN: usize = 16_000;

/// Blocks the client of a call if one of these rows is both missing and claimed. Returns whether it did.
pub(super) fn block_client<C: BlockingCommand>(
    call: &Call<'_>,
    timeout_ms: i64,
    table: &OpenTable<'_, '_>,
    ids: &Ids<'_, '_>,
    fields: &[&str],
) -> Result<bool, Error> {
    let may_block = has_claims() && call.can_block();
    let now_ms = call.now_ms();
    let mut rows = MissingRows::new(fields);
    let missing = |id: &[u8]| rows.is_missing(table.row(id));
    let client = || Client { ids: ids.keep(), handle: None };
    let waiter = ids.with_checked(|ids| {
        let add = || update(|state| state.add_waiter(table_key(call), ids, fields, now_ms, missing, client));
        may_block.then(add).flatten()
    })?;
    let Some(waiter) = waiter else {
        return Ok(false);
    };
    let handle = call.block_client::<C>(KEY, timeout_ms, waiter);
    if handle.is_none() {
        forget(waiter);
        return Ok(false);
    }
    with_state(|state| {
        if let Some(waiter) = state.waiter_mut(waiter) {
            waiter.client.handle = handle;
        }
    });
    Ok(true)
}

/// Something was stored at the key a client waits on. If a whole table came there, all claims on the key end.
pub(super) fn key_ready(call: &Call<'_>) -> Result<(), Error> {
    OpenTable::read(call).map(drop)
}

/// A client waits no longer.
pub(super) fn forget(waiter: WaiterId) {
    update(|state| state.remove_waiter(waiter));
}

/// Reaps expired claims for about a millisecond, and rechecks waiters until enough ids were scanned. Clients
/// are served before the next run does the rest.
pub(crate) fn on_timer(context: &mut TimerContext) {
    let now_ms = context.now_ms();
    let began_ms = clock_ms();
    while clock_ms() == began_ms && with_state(|state| state.claims().needs_reaping(now_ms)) {
        CLAIMS_EXPIRED.add(with_state(|state| state.reap_expired(now_ms, REAP_BATCH)));
    }
    with_state(|state| state.wake_put_off(now_ms));
    let mut scanned = 0;
    while scanned < MAX_IDS_PER_RUN {
        let Some(waiter) = with_state(SingleFlight::pop_due) else {
            break;
        };
        scanned += recheck(context, waiter, now_ms) + 1;
    }
    // Sets the timer again if there is more to do.
    update(|_| {});
}

/// Rechecks a waiter, and unblocks its client if it need not wait on. Returns how many ids were scanned or
/// will be answered.
fn recheck(context: &mut TimerContext, waiter: WaiterId, now_ms: i64) -> usize {
    let found = with_state(|state| {
        state
            .waiter_mut(waiter)
            .map(|found| (found.table().clone(), Arc::clone(found.fields()), found.client.id_count()))
    });
    let Some((table, fields, id_count)) = found else {
        return 0;
    };
    let TableKey { db, name } = table.as_key();
    // Claims end when a table moves away, when its slot does as a whole, and when this server turns replica. Nil would
    // say that the row is nowhere; who waits is told by the server where to ask.
    if !context.answers_for(KeyName { db, name }) {
        with_state(|state| state.put_off(waiter, now_ms));
        return 0;
    }
    let rechecked = context.with_key::<PriceTable, _>(KeyName { db, name }, |key| {
        // A key of another type has no rows; the reply will say so.
        let mut key = key.ok();
        if let Some(key) = &mut key {
            prepare(key, TableKey { db, name }, Intent::Read, now_ms);
        }
        let table = key.as_ref().and_then(|key| key.value()).map(|value| &value.table);
        let mut rows = MissingRows::new(&fields);
        let missing = |id: &[u8]| rows.is_missing(table.and_then(|table| table.get(id, now_ms)));
        with_state(|state| state.recheck(waiter, now_ms, missing))
    });
    if rechecked.waits {
        return rechecked.scanned;
    }
    // The reply forgets the waiter, so the handle is taken out first.
    if let Some(client) =
        with_state(|state| state.waiter_mut(waiter).and_then(|found| found.client.handle.take()))
    {
        client.unblock();
    }
    forget(waiter);
    rechecked.scanned + id_count
}
