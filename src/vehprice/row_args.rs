//! Rows among a call's arguments: their names, ids and values, and where those stand.

use std::iter;

use quotelock_server::{Call, ReplicaArg};

use super::fields::{push_field, value};
use super::ids::id;
use crate::error::Error;
use crate::settings::check_batch;

/// Rows of the same fields, and where they stand among the arguments.
pub(super) struct RowArgs<'a> {
    pub(super) names: Vec<&'a str>,
    names_at: ArgStride,
    pub(super) ids: Vec<&'a [u8]>,
    ids_at: ArgStride,
    /// The values of all rows, row by row.
    values: Vec<&'a str>,
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

impl<'a> RowArgs<'a> {
    /// The row of `VEHPRICE.SET`: its id is at `id_at`, fields and values alternate from `fields_at` on.
    pub(super) fn of_set(call: &Call<'a>, id_at: usize, fields_at: usize) -> Result<Self, Error> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let ids = vec![id(call.arg(id_at))?];
        let mut args = call.args_from(fields_at);
        while let (Some(name), Some(bytes)) = (args.next(), args.next()) {
            let name = push_field(&mut names, name)?;
            values.push(value(name, bytes)?);
        }
        Ok(Self {
            names,
            names_at: ArgStride { first: fields_at, step: 2 },
            ids,
            ids_at: ArgStride { first: id_at, step: 0 },
            values,
            values_at: ArgStride { first: fields_at + 1, step: 2 },
        })
    }

    /// The rows of `VEHPRICE.MSET`: their names are from `names_at` on; an id and a value for each name from
    /// `rows_at` on to the end.
    pub(super) fn of_mset(
        call: &Call<'a>,
        names: Vec<&'a str>,
        names_at: usize,
        rows_at: usize,
    ) -> Result<Self, Error> {
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
        Ok(Self {
            names,
            names_at: ArgStride { first: names_at, step: 1 },
            ids,
            ids_at: ArgStride { first: rows_at, step: row_args },
            values,
            values_at: ArgStride { first: rows_at + 1, step: 1 },
        })
    }

    /// The values of a row.
    #[expect(clippy::indexing_slicing, reason = "there are as many values a row as names")]
    pub(super) fn values(&self, row: usize) -> impl Iterator<Item = &'a str> + Clone + use<'a, '_> {
        let first = row * self.names.len();
        self.values[first..first + self.names.len()].iter().copied()
    }

    /// The arguments that are the names.
    pub(super) fn name_args<'p>(&self) -> impl Iterator<Item = ReplicaArg<'p>> {
        (0..self.names.len()).map(|nth| self.names_at.arg(nth))
    }

    /// The argument that is the id of a row.
    pub(super) fn id_arg<'p>(&self, row: usize) -> ReplicaArg<'p> {
        self.ids_at.arg(row)
    }

    /// The arguments that are these rows, each an id and its values.
    pub(super) fn row_args<'p>(&self, rows: &[usize]) -> impl Iterator<Item = ReplicaArg<'p>> {
        // All rows stand together at the end of the arguments.
        let are_all = rows.len() == self.ids.len() && self.values_at.step == 1;
        let all = are_all.then_some(ReplicaArg::ArgsFrom(self.ids_at.first));
        let each = if are_all { &[] } else { rows };
        all.into_iter().chain(each.iter().flat_map(|&row| {
            let values = ArgStride { first: self.values_at.first + row * self.ids_at.step, ..self.values_at };
            iter::once(self.id_arg(row)).chain((0..self.names.len()).map(move |nth| values.arg(nth)))
        }))
    }
}
