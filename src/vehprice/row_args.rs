//! Rows among a call's arguments, or in one of them: reading them, and naming them again for replicas.

use std::iter;

use quotelock_core::batch::{RowBatch, with_columns, with_json_rows};
use quotelock_server::{Call, ReplicaArg};

use super::fields::{push_field, value};
use super::ids::id;
use super::mset_form;
use crate::error::Error;
use crate::settings::{batch_limit, check_batch};

/// Where the rows of a call are.
#[derive(Clone, Copy)]
pub(super) enum RowArgs {
    /// Each id, name and value is an argument.
    Each(EachArg),
    /// All are in the argument at this index, JSON of this form.
    One(JsonForm, usize),
}

/// The form of rows in one argument.
#[derive(Clone, Copy)]
pub(super) enum JsonForm {
    Rows,
    Columns,
}

impl JsonForm {
    pub(super) const ALL: [Self; 2] = [Self::Rows, Self::Columns];

    /// The word before the argument.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rows => "JSON",
            Self::Columns => "COLUMNS",
        }
    }

    /// Reads the argument at `at`, and hands on its rows.
    pub(super) fn with_rows<R>(
        self,
        call: &Call<'_>,
        at: usize,
        take: impl FnOnce(&RowBatch<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let (text, max) = (call.arg(at), batch_limit(call));
        let taken = match self {
            Self::Rows => with_json_rows(text, max, |rows| take(&rows)),
            Self::Columns => with_columns(text, max, |rows| take(&rows)),
        };
        taken.map_err(|error| Error::of_batch(error, "rows"))?
    }
}

/// Where names, ids and values stand among the arguments.
#[derive(Clone, Copy)]
pub(super) struct EachArg {
    rows: usize,
    fields: usize,
    names_at: ArgStride,
    ids_at: ArgStride,
    /// Where the values of the first row stand; those of other rows are as far apart as the ids.
    values_at: ArgStride,
}

/// Arguments at even distances.
#[derive(Clone, Copy)]
struct ArgStride {
    first: usize,
    step: usize,
}

impl ArgStride {
    fn arg<'p>(self, nth: usize) -> ReplicaArg<'p> {
        ReplicaArg::Arg(self.first + nth * self.step)
    }
}

impl EachArg {
    /// The row of `VEHPRICE.SET`: its id is at `id_at`, fields and values alternate from `fields_at` on.
    pub(super) fn of_set<'a>(
        call: &Call<'a>,
        id_at: usize,
        fields_at: usize,
    ) -> Result<(RowBatch<'a>, Self), Error> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let ids = vec![id(call.arg(id_at))?];
        let mut args = call.args_from(fields_at);
        while let (Some(name), Some(bytes)) = (args.next(), args.next()) {
            let name = push_field(&mut names, name)?;
            values.push(value(name, bytes)?);
        }
        let args = Self {
            rows: 1,
            fields: names.len(),
            names_at: ArgStride { first: fields_at, step: 2 },
            ids_at: ArgStride { first: id_at, step: 0 },
            values_at: ArgStride { first: fields_at + 1, step: 2 },
        };
        Ok((RowBatch::uniform(names, ids, values), args))
    }

    /// The rows of `VEHPRICE.MSET`: their names are from `names_at` on; an id and a value for each name from
    /// `rows_at` on to the end.
    pub(super) fn of_mset<'a>(
        call: &Call<'a>,
        names: Vec<&'a str>,
        names_at: usize,
        rows_at: usize,
    ) -> Result<(RowBatch<'a>, Self), Error> {
        let arguments = call.argc() - rows_at;
        let row_args = names.len() + 1;
        if arguments == 0 || !arguments.is_multiple_of(row_args) {
            return Err(Error::BadRows(names.len()));
        }
        let rows = arguments / row_args;
        check_batch(call, "rows", rows)?;
        let (mut ids, mut values) = (Vec::with_capacity(rows), Vec::with_capacity(arguments - rows));
        let mut args = call.args_from(rows_at);
        while let Some(row) = args.next() {
            ids.push(id(row)?);
            for (name, bytes) in names.iter().zip(&mut args) {
                values.push(value(name, bytes)?);
            }
        }
        let args = Self {
            rows,
            fields: names.len(),
            names_at: ArgStride { first: names_at, step: 1 },
            ids_at: ArgStride { first: rows_at, step: row_args },
            values_at: ArgStride { first: rows_at + 1, step: 1 },
        };
        Ok((RowBatch::uniform(names, ids, values), args))
    }

    /// How many fields the rows have.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// What stands between the key and the rows.
    pub(super) fn head<'p>(&self, head: &'p mset_form::Head) -> impl Iterator<Item = ReplicaArg<'p>> {
        let names = (0..self.fields).map(|nth| self.names_at.arg(nth));
        head.args(names, ReplicaArg::Bytes)
    }

    /// The arguments that are these rows, each an id and its values.
    pub(super) fn rows<'p>(&self, rows: &[usize]) -> impl Iterator<Item = ReplicaArg<'p>> {
        // All rows stand together at the end of the arguments.
        let are_all = rows.len() == self.rows && self.values_at.step == 1;
        let all = are_all.then_some(ReplicaArg::ArgsFrom(self.ids_at.first));
        let each = if are_all { &[] } else { rows };
        all.into_iter().chain(each.iter().flat_map(|&row| {
            let values = ArgStride { first: self.values_at.first + row * self.ids_at.step, ..self.values_at };
            iter::once(self.ids_at.arg(row)).chain((0..self.fields).map(move |nth| values.arg(nth)))
        }))
    }
}
