//! The table of a call's key, opened and swept once.

use quotelock_core::single_flight::TableKey;
use quotelock_core::table::{Expiry, Row, Table};
use quotelock_server::{Call, DataType, Key, TypedKey, has_child};

use super::{DEL_EVENT, KEY, SET_EVENT, single_flight, table_key};
use crate::counters::{ROWS_EXPIRED, ROWS_EXPIRED_LATE_MS};
use crate::data_type::PriceTable;
use crate::error::Error;

/// How many pages of a table a command sweeps on its way: some hundred rows.
const SWEEP_PAGES: usize = 16;

/// A sweep stops early once it has freed this much: freeing a value of 100 kB takes longer than sweeping a
/// page.
const SWEEP_BYTES: usize = 256 * 1024;

/// The table of a call's key, if there is one. Reads sweep it too: a sweep changes nothing that anyone can
/// see.
pub(super) struct OpenTable<'c, 'a> {
    call: &'c Call<'a>,
    key: TypedKey<'c, PriceTable>,
}

impl<'c, 'a> OpenTable<'c, 'a> {
    /// Opens the table of the call's key to read.
    pub(super) fn read(call: &'c Call<'a>) -> Result<Self, Error> {
        Self::open(call, call.open_read(KEY)?, Intent::Read)
    }

    /// Opens the table of the call's key to write; [`OpenTable::commit`] ends the write.
    pub(super) fn write(call: &'c Call<'a>) -> Result<Self, Error> {
        Self::open(call, call.open_write(KEY)?, Intent::Write)
    }

    fn open(call: &'c Call<'a>, key: Key<'c>, intent: Intent) -> Result<Self, Error> {
        let mut key = key.typed()?;
        prepare(&mut key, table_key(call), intent, call.now_ms());
        Ok(Self { call, key })
    }

    pub(super) fn table(&self) -> Option<&Table> {
        self.key.value().map(|value| &value.table)
    }

    pub(super) fn table_mut(&mut self) -> Option<&mut Table> {
        self.key.value_mut().map(|value| &mut value.table)
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.key.value().map_or(0, PriceTable::bytes)
    }

    /// The table, made if there is none.
    pub(super) fn table_or_insert(&mut self) -> &mut Table {
        &mut self.key.get_or_insert_with(PriceTable::new).table
    }

    /// The row with this id, if it is live now.
    pub(super) fn row(&self, id: &[u8]) -> Option<Row<'_>> {
        self.table()?.get(id, self.call.now_ms())
    }

    /// Visits the row of each id, or none, in order.
    #[inline]
    pub(super) fn each_row<'t, 'i>(
        &'t self,
        ids: impl Iterator<Item = &'i [u8]>,
        mut visit: impl FnMut(Option<Row<'t>>),
    ) {
        match self.table() {
            Some(table) => table.get_each(ids, self.call.now_ms(), visit),
            None => ids.for_each(|_| visit(None)),
        }
    }

    /// Updates what `INFO` shows of tables; [`OpenTable::commit`] does so too.
    pub(super) fn update_info(&mut self) {
        if let Some(value) = self.key.value_mut() {
            value.update_info();
        }
    }

    /// Ends a write. A table without a live row goes with its key, which is all that is replicated then;
    /// otherwise the changes are replicated by `replicate`, the key expires with its longest-lived row, and
    /// whoever listens is told.
    pub(super) fn commit(mut self, changes: WriteCounts, replicate: impl FnOnce(&Table)) {
        let now_ms = self.call.now_ms();
        let is_replay = self.call.is_replay();
        self.update_info();
        let Some(table) = self.table_mut() else {
            return;
        };
        let max_expiry = table.max_expiry();
        // A write from the primary ends no table: the primary sends a DEL for that, whatever the clock says
        // here.
        if !is_replay && max_expiry.is_none_or(|max| max.is_expired(now_ms)) {
            return self.key.delete(DEL_EVENT);
        }
        if changes.is_none() {
            return;
        }
        replicate(table);
        // Only a replay can leave no row: those that lived on the primary have expired by this clock, and so
        // has the key. Redis shows a key to the end of its last millisecond, so that must have passed.
        self.key.set_expiry(max_expiry.unwrap_or(Expiry::at(now_ms - 1)).unix_ms());
        let stored = (changes.stored > 0).then_some(SET_EVENT);
        let deleted = (changes.deleted > 0).then_some(DEL_EVENT);
        self.key.notify(stored.into_iter().chain(deleted));
    }
}

/// How many rows a write has stored and deleted.
#[derive(Clone, Copy, Default)]
pub(super) struct WriteCounts {
    pub(super) stored: usize,
    pub(super) deleted: usize,
}

impl WriteCounts {
    fn is_none(self) -> bool {
        self.stored == 0 && self.deleted == 0
    }
}

/// What a table is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Read,
    Write,
}

/// Makes a table that was just opened ready for use: ends the claims of what was there before it, and sweeps
/// it a step, unless a child process shares its memory.
pub(super) fn prepare(key: &mut TypedKey<'_, PriceTable>, name: TableKey<'_>, intent: Intent, now_ms: i64) {
    if let Some(value) = key.value_mut() {
        let table = &mut value.table;
        if table.take_relocated() {
            single_flight::table_cleared(name);
        }
        // Where there is nothing to tidy up a read need not ask.
        if intent == Intent::Write || table.needs_sweep(now_ms) {
            table.set_shared(has_child());
        }
        if let Some(swept) = table.sweep(now_ms, value.since_ms, SWEEP_PAGES, SWEEP_BYTES) {
            ROWS_EXPIRED.add(swept.rows);
            ROWS_EXPIRED_LATE_MS.add(swept.late_ms);
            value.update_info();
        }
    }
}
