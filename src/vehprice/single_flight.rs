//! The one owner of the server's claims and waiters, which sets the timer they need.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use quotelock_core::single_flight::{ClaimOutcome, ClaimTerms, SingleFlight, TableKey, Token, WaitingClient};
use quotelock_core::table::{ByShape, Row, Table};
use quotelock_server::{
    BlockedClient, Call, GilGuarded, KeyName, Slots, clock_ms, expiry_ms, random_numbers, set_timer,
};

use super::ids::KeptIds;
use super::table_key;
use crate::counters::{
    CLAIMS_BYTES, CLAIMS_ENDED, CLAIMS_EXPIRED, CLAIMS_GRANTED, CLAIMS_LONGEST_WAIT_MS, CLAIMS_PENDING,
    CLAIMS_REFUSED, CLAIMS_RELEASED, CLAIMS_WAITING,
};
use crate::settings;

/// A client that waits for rows.
pub(super) struct Client {
    /// The ids it asked for.
    pub(super) ids: KeptIds,
    /// The handle to wake it by, once it is blocked.
    pub(super) handle: Option<BlockedClient>,
}

impl WaitingClient for Client {
    fn id_count(&self) -> usize {
        self.ids.count()
    }

    fn id(&self, index: usize) -> &[u8] {
        self.ids.get(index)
    }

    fn bytes(&self) -> usize {
        self.ids.bytes()
    }
}

/// All claims and waiters.
static STATE: GilGuarded<SingleFlight<Client>> = GilGuarded::new(|| SingleFlight::new(random_numbers()));

/// Whether there is any claim: without one, most calls here have nothing to do.
static HAS_CLAIMS: AtomicBool = AtomicBool::new(false);

/// The longest the timer is set to; it is set again when it goes off.
const MAX_TIMER_MS: i64 = 60_000;

/// Works on claims and waiters; [`update`] must follow if their number changes. `work` must not call the
/// server.
pub(super) fn with_state<T>(work: impl FnOnce(&mut SingleFlight<Client>) -> T) -> T {
    STATE.with(work)
}

/// Changes claims and waiters; then updates what `INFO` shows of them, and sets the timer. `change` must not
/// call the server.
pub(super) fn update<T>(change: impl FnOnce(&mut SingleFlight<Client>) -> T) -> T {
    let (done, has_work, next_work_ms) = STATE.with(|state| {
        let done = change(state);
        HAS_CLAIMS.store(!state.claims().is_empty(), Relaxed);
        CLAIMS_PENDING.set(state.claims().len());
        CLAIMS_WAITING.set(state.waiters().len());
        CLAIMS_LONGEST_WAIT_MS.set(state.waiters().first_since_ms());
        CLAIMS_BYTES.set(state.bytes());
        (done, state.has_work(), state.next_work_ms())
    });
    if has_work {
        set_timer(0);
    } else if let Some(work_ms) = next_work_ms {
        set_timer(work_ms.saturating_sub(clock_ms()).clamp(0, MAX_TIMER_MS));
    }
    done
}

/// Whether there is any claim.
pub(super) fn has_claims() -> bool {
    HAS_CLAIMS.load(Relaxed)
}

/// Claims rows under a token, for `for_ms` milliseconds.
pub(super) fn claim<'i>(
    call: &Call<'_>,
    ids: impl Iterator<Item = &'i [u8]>,
    token: Token,
    for_ms: i64,
    limit: usize,
) -> ClaimOutcome<'i> {
    let now_ms = call.now_ms();
    let terms = ClaimTerms {
        token,
        now_ms,
        expiry_ms: now_ms.saturating_add(for_ms),
        limit,
        max_claims: settings::max_claims(),
        max_bytes: settings::max_claims_bytes(),
    };
    let outcome = update(|state| state.claim(table_key(call), ids, terms));
    CLAIMS_GRANTED.add(outcome.claimed.len() - outcome.renewed);
    CLAIMS_REFUSED.add(outcome.refused);
    CLAIMS_EXPIRED.add(outcome.expired);
    outcome
}

/// A token that no caller has seen.
pub(super) fn new_token() -> Token {
    let [high, low] = random_numbers();
    Token::new(u128::from(high) << 64 | u128::from(low))
}

/// Releases the claims held under a token: on these ids, or all. Returns how many.
pub(super) fn release(call: &Call<'_>, token: Token, ids: Option<&[&[u8]]>) -> usize {
    let released = update(|state| state.release(table_key(call), token, ids, call.now_ms()));
    CLAIMS_RELEASED.add(released);
    released
}

/// Which of these ids are claimed under a token.
pub(super) fn held(call: &Call<'_>, token: Token, ids: &[&[u8]]) -> Vec<bool> {
    if !has_claims() {
        return vec![false; ids.len()];
    }
    let (table, now_ms) = (table_key(call), call.now_ms());
    with_state(|state| ids.iter().map(|id| state.claims().is_held(table, token, id, now_ms)).collect())
}

/// Rows were stored or deleted: their claims end, unless they are kept.
pub(super) fn rows_written<'i>(call: &Call<'_>, ids: impl Iterator<Item = &'i [u8]>, keep_claims: bool) {
    if !has_claims() {
        return;
    }
    let table = table_key(call);
    if keep_claims {
        update(|state| state.wake_rows(table, ids));
    } else {
        CLAIMS_ENDED.add(update(|state| state.end_rows(table, ids)));
    }
}

/// The table was deleted, or another came in its place: all its claims end.
pub(super) fn table_cleared(table: TableKey<'_>) {
    if has_claims() {
        CLAIMS_ENDED.add(update(|state| state.end_table(table)));
    }
}

/// A table leaves its key without a command of ours. Its claims end, unless the server expires it: a row's
/// expiry ends no claim.
pub(crate) fn table_unlinked(key: KeyName<'_>, table: &Table) {
    if has_claims() && !table.has_expired(expiry_ms()) {
        table_cleared(TableKey { db: key.db, name: key.name });
    }
}

/// All keys of a database, or of all, were replaced or removed, or this server became a replica: their claims
/// end.
pub(crate) fn on_database_change(db: Option<i32>) {
    if has_claims() {
        CLAIMS_ENDED.add(update(|state| state.end_database(db)));
    }
}

/// These slots came to this server or left it whole. The claims on their keys end, whether there is a table or not,
/// as nobody tells this server of changes elsewhere. Every table with claims is looked at, 0.2 µs each.
pub(crate) fn on_slots_change(slots: &Slots) {
    if has_claims() {
        CLAIMS_ENDED.add(update(|state| state.end_tables(|table| slots.has(table.name))));
    }
}

/// Tells which rows of a table that does not change meanwhile count as missing: those that are not there, or
/// lack one of some fields.
pub(super) struct MissingRows<'f> {
    fields: HashSet<&'f str>,
    /// Whether rows of a shape lack a field.
    lacking: ByShape<bool>,
}

impl<'f> MissingRows<'f> {
    pub(super) fn new(fields: &'f [impl AsRef<str>]) -> Self {
        let fields = fields.iter().map(AsRef::as_ref).collect();
        Self { fields, lacking: ByShape::new() }
    }

    pub(super) fn is_missing(&mut self, row: Option<Row<'_>>) -> bool {
        let Some(row) = row else {
            return true;
        };
        if self.fields.is_empty() {
            return false;
        }
        *self.lacking.get(row.shape(), |shape| {
            shape.names().filter(|name| self.fields.contains(name)).count() < self.fields.len()
        })
    }
}
