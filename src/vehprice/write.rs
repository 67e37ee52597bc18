//! Writing rows, for `VEHPRICE.SET` and `VEHPRICE.MSET`: which of them, what comes of each, and what is
//! replicated.

use std::ffi::CStr;

use quotelock_core::batch::RowBatch;
use quotelock_core::table::{
    Condition, ExpiryPolicy, KeepError, MAX_KEPT_BYTES, Table, WriteOutcome, WritePolicy, group_rows,
};
use quotelock_server::{Call, ReplicaArg, excerpt};

use super::last_rows::LastRows;
use super::open_table::{OpenTable, WriteCounts};
use super::row_args::RowArgs;
use super::write_options::WriteOptions;
use super::{KEY, mset_form, single_flight, table_key};
use crate::counters::{CLAIMS_OVERTAKEN, ROWS_DELETED, ROWS_STORED};
use crate::error::Error;

/// Deletes rows on replicas and in the AOF.
pub(super) const DEL: &CStr = c"VEHPRICE.DEL";

/// Writes rows, which are at `args`, and replicates what came of it. Returns how many are stored.
pub(super) fn write_rows(
    call: &Call<'_>,
    rows: &RowBatch<'_>,
    args: RowArgs,
    options: &WriteOptions,
) -> Result<usize, Error> {
    let mut open = OpenTable::write(call)?;
    let now_ms = call.now_ms();
    let policy = options.policy(now_ms);
    let decision_ms = options.decision_ms(now_ms);
    let filter = ClaimFilter::new(call, options, rows.ids());
    check_lists(call, rows, args, options, policy)?;
    let last = open.table().map(|table| LastRows::new(rows.ids(), table));
    if let Some((table, last)) = open.table().zip(last.as_ref()) {
        check_kept(call, table, rows, policy, (&filter, last), decision_ms)?;
    }
    CLAIMS_OVERTAKEN.add(rows.ids().len() - filter.count());
    if filter.count() == 0 {
        open.commit(WriteCounts::default(), |_| {});
        return Ok(0);
    }
    // A table is made only for rows that will be in it.
    if open.table().is_none() {
        if policy.condition == Some(Condition::Present) {
            return Ok(0);
        }
        if policy.has_expired(decision_ms) {
            single_flight::rows_written(call, filter.ids(rows.ids()), options.keeps_claims());
            return Ok(0);
        }
    }
    let table = open.table_or_insert();
    let last = last.unwrap_or_else(|| LastRows::new(rows.ids(), table));
    let written = apply(table, rows, policy, (&filter, &last), decision_ms);
    single_flight::rows_written(call, written.changed_ids.iter().copied(), options.keeps_claims());
    ROWS_STORED.add(written.stored.len());
    ROWS_DELETED.add(written.deleted.len());
    let changes = WriteCounts { stored: written.stored.len(), deleted: written.deleted.len() };
    open.commit(changes, |table| replicate(call, table, rows, args, policy, &written, decision_ms));
    Ok(changes.stored)
}

/// Which rows of a call may be written: all, or with a token those that are claimed under it.
struct ClaimFilter {
    by_token: Option<Vec<bool>>,
    count: usize,
}

impl ClaimFilter {
    fn new(call: &Call<'_>, options: &WriteOptions, ids: &[&[u8]]) -> Self {
        let by_token = options.token().map(|token| single_flight::held(call, token, ids));
        let count = match &by_token {
            None => ids.len(),
            Some(held) => held.iter().filter(|held| **held).count(),
        };
        Self { by_token, count }
    }

    fn count(&self) -> usize {
        self.count
    }

    fn passes(&self, row: usize) -> bool {
        self.by_token.as_ref().is_none_or(|held| held.get(row) == Some(&true))
    }

    /// Those of the call's rows that pass: the index and the id.
    fn rows<'f, 'a>(
        &'f self,
        ids: &'f [&'a [u8]],
    ) -> impl Iterator<Item = (usize, &'a [u8])> + Clone + use<'f, 'a> {
        ids.iter().copied().enumerate().filter(|(row, _)| self.passes(*row))
    }

    /// Their ids.
    fn ids<'f, 'a>(&'f self, ids: &'f [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> + use<'f, 'a> {
        self.rows(ids).map(|(_, id)| id)
    }
}

/// The most bytes of a replicated command but for key, names and rows.
const COMMAND_BYTES: usize = 128;

/// Refuses rows whose different lists of fields, each replicated by a command, would take far more than the
/// argument they came in, where that can't be replicated as it is.
fn check_lists(
    call: &Call<'_>,
    rows: &RowBatch<'_>,
    args: RowArgs,
    options: &WriteOptions,
    policy: WritePolicy,
) -> Result<(), Error> {
    let are_all_stored = policy.condition.is_none()
        && options.token().is_none()
        && !policy.merge
        && matches!(policy.expiry, ExpiryPolicy::Set(_));
    if are_all_stored || matches!(args, RowArgs::Each(_)) {
        return Ok(());
    }
    let command_bytes = COMMAND_BYTES + table_key(call).name.len();
    let names: usize = rows.lists().iter().flatten().map(|name| name.len()).sum();
    let bytes = rows.lists().len().saturating_mul(command_bytes).saturating_add(names);
    if rows.lists().len() > 1 && bytes > MAX_KEPT_BYTES { Err(Error::TooManyCommands) } else { Ok(()) }
}

/// Refuses rows that `MERGE` would give too many fields, and a call that would replicate far more than it was
/// sent. With `NX` a row that is there is left alone, and with an expiry in the past it is deleted.
fn check_kept(
    call: &Call<'_>,
    table: &Table,
    rows: &RowBatch<'_>,
    policy: WritePolicy,
    (filter, last): (&ClaimFilter, &LastRows<'_>),
    decision_ms: i64,
) -> Result<(), Error> {
    if policy.condition == Some(Condition::Absent) || policy.has_expired(decision_ms) {
        return Ok(());
    }
    let written = filter.rows(rows.ids()).filter(|(row, id)| last.is_last(*row, id));
    let lists = written.clone().map(|(row, id)| (id, rows.list_of(row)));
    let command_bytes = COMMAND_BYTES + table_key(call).name.len();
    let checked = table.check_kept(lists, rows.lists(), policy, command_bytes, decision_ms);
    checked.map_err(|error| match error {
        KeepError::TooWide(row) => {
            Error::TooWide(written.clone().nth(row).map(|(_, id)| excerpt(id)).unwrap_or_default())
        }
        KeepError::TooMuch => Error::KeepsTooMuch,
    })
}

/// What came of the rows of a call.
struct Written<'a> {
    stored: Vec<usize>,
    /// Each id of the call is among these rows.
    are_all: bool,
    deleted: Vec<usize>,
    /// The ids of all rows that were not skipped, if there are any claims.
    changed_ids: Vec<&'a [u8]>,
}

/// Writes the rows that pass the filter.
fn apply<'a>(
    table: &mut Table,
    rows: &RowBatch<'a>,
    policy: WritePolicy,
    (filter, last): (&ClaimFilter, &LastRows<'a>),
    decision_ms: i64,
) -> Written<'a> {
    let has_claims = single_flight::has_claims();
    let mut written = Written {
        stored: Vec::with_capacity(filter.count()),
        are_all: false,
        deleted: Vec::new(),
        changed_ids: Vec::new(),
    };
    let count = last.count();
    table.make_pages_for(count.min(filter.count()));
    let mut writer = table.writer(rows.lists(), policy);
    let mut ids = rows.ids().iter().copied().enumerate();
    for hashes in last.hashes().chunks(Table::LOOKUP_BATCH) {
        let hints = writer.slot_hints(hashes);
        for ((row, id), hint) in ids.by_ref().take(hashes.len()).zip(hints) {
            if !last.is_last(row, id) || !filter.passes(row) {
                continue;
            }
            let outcome = writer.write(id, hint, rows.list_of(row), rows.values(row), decision_ms);
            if has_claims && outcome != WriteOutcome::Skipped {
                written.changed_ids.push(id);
            }
            match outcome {
                WriteOutcome::Stored => written.stored.push(row),
                WriteOutcome::Deleted { was_there: true } => written.deleted.push(row),
                WriteOutcome::Deleted { was_there: false } | WriteOutcome::Skipped => {}
            }
        }
    }
    written.are_all = written.stored.len() == count;
    written
}

/// Replicates what came of the rows, with nothing left to decide.
fn replicate(
    call: &Call<'_>,
    table: &Table,
    rows: &RowBatch<'_>,
    args: RowArgs,
    policy: WritePolicy,
    written: &Written<'_>,
    decision_ms: i64,
) {
    const KEY_ARG: [ReplicaArg<'_>; 1] = [ReplicaArg::Arg(KEY)];
    let expiry = match policy {
        WritePolicy { merge: false, expiry: ExpiryPolicy::Set(expiry), .. } => Some(expiry),
        _ => None,
    };
    match (args, expiry) {
        _ if written.stored.is_empty() => {}
        (RowArgs::Each(args), Some(expiry)) => {
            let head = mset_form::Head::new(expiry, args.fields());
            let args = args.head(&head).chain(args.rows(&written.stored));
            call.replicate(mset_form::MSET, KEY_ARG.into_iter().chain(args));
        }
        (RowArgs::One(form, at), Some(expiry)) if written.are_all => {
            let expiry = mset_form::ExpiryWords::new(expiry);
            let head = expiry.args().chain([form.word().as_bytes()]).map(ReplicaArg::Bytes);
            call.replicate(mset_form::MSET, KEY_ARG.into_iter().chain(head).chain([ReplicaArg::Arg(at)]));
        }
        _ => {
            // Merged, each with its own expiry, or some of one argument: as they are in the table now.
            let ids = written.stored.iter().filter_map(|row| rows.ids().get(*row));
            group_rows(ids.filter_map(|id| table.get(id, decision_ms)), |group| {
                mset_form::with_args_of(&group, |args| {
                    let args = args.iter().map(|arg| ReplicaArg::Bytes(arg));
                    call.replicate(mset_form::MSET, KEY_ARG.into_iter().chain(args));
                });
            });
        }
    }
    if !written.deleted.is_empty() {
        let ids = written.deleted.iter().filter_map(|row| rows.ids().get(*row));
        let ids = ids.map(|id| ReplicaArg::Bytes(id));
        call.replicate(DEL, KEY_ARG.into_iter().chain(ids));
    }
}
