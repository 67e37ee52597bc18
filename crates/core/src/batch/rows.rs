//! Rows to be written, as a call brings them.

use std::collections::HashMap;

use super::error::RowFault;
use crate::short::is_equal;
use crate::table::bounds::{self, MAX_FIELDS, MAX_VALUE_BYTES};

/// Rows to be written: of each its id, its values, and which list of names they have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowBatch<'a> {
    /// The different lists of names, in the order in which they came.
    lists: Vec<Vec<&'a str>>,
    ids: Vec<&'a [u8]>,
    /// The values of all rows, row by row.
    values: Vec<&'a [u8]>,
    /// How many names the first list has.
    width: usize,
    /// Of each row its list and its first value; empty as long as all have the first list.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    list: usize,
    first_value: usize,
}

impl<'a> RowBatch<'a> {
    /// Rows that all have fields of these names; `values` are those of the rows one after the other.
    pub fn uniform(names: Vec<&'a str>, ids: Vec<&'a [u8]>, values: Vec<&'a [u8]>) -> Self {
        Self { width: names.len(), lists: vec![names], ids, values, places: Vec::new() }
    }

    /// The ids of the rows.
    pub fn ids(&self) -> &[&'a [u8]] {
        &self.ids
    }

    /// The different lists of names.
    pub fn lists(&self) -> &[Vec<&'a str>] {
        &self.lists
    }

    /// Which list of names a row has.
    #[inline]
    pub fn list_of(&self, row: usize) -> usize {
        self.places.get(row).map_or(0, |place| place.list)
    }

    /// The values of a row, in the order of its names.
    #[inline]
    pub fn values(&self, row: usize) -> &[&'a [u8]] {
        let (first, count) = match self.places.get(row) {
            None => (row * self.width, self.width),
            Some(place) => (place.first_value, self.list_len(place.list)),
        };
        self.values.get(first..first + count).unwrap_or_default()
    }

    #[inline]
    fn list_len(&self, list: usize) -> usize {
        self.lists.get(list).map_or(0, Vec::len)
    }
}

/// Collects rows, field by field. Most rows have the names of the row before them.
#[derive(Debug, Default)]
pub(super) struct RowsBuilder<'a> {
    rows: RowBatch<'a>,
    /// The lists by their names, once there are several.
    index: HashMap<Vec<&'a str>, usize>,
    /// The list of the row before.
    last: usize,
    /// How many names of the row at hand are those of the row before, if all of them are.
    same: Option<usize>,
    /// The names of the row at hand, otherwise.
    names: Vec<&'a str>,
    /// Its fields that are null.
    nulls: Vec<&'a str>,
    /// The bytes of the names in all lists.
    name_bytes: usize,
}

impl<'a> RowsBuilder<'a> {
    /// For about this many rows and values.
    pub(super) fn with_capacity(rows: usize, values: usize) -> Self {
        let mut builder = Self::default();
        builder.rows.ids.reserve(rows);
        builder.rows.values.reserve(values);
        builder
    }

    /// Begins a row. Its id was checked.
    #[inline]
    pub(super) fn begin(&mut self, id: &'a [u8]) {
        self.rows.ids.push(id);
        self.same = Some(0);
        self.names.clear();
        self.nulls.clear();
    }

    /// Adds a field to the row.
    #[inline]
    pub(super) fn value(&mut self, name: &'a [u8], value: &'a [u8]) -> Result<(), RowFault> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(RowFault::TooLong);
        }
        let last = self.rows.lists.get(self.last);
        match self.same {
            Some(same)
                if last
                    .and_then(|names| names.get(same))
                    .is_some_and(|last| is_equal(last.as_bytes(), name)) =>
            {
                self.same = Some(same + 1);
            }
            _ => self.other_name(name)?,
        }
        self.rows.values.push(value);
        Ok(())
    }

    #[inline(never)]
    fn other_name(&mut self, name: &'a [u8]) -> Result<(), RowFault> {
        self.own_names();
        let name = as_name(name)?;
        if self.names.len() == MAX_FIELDS {
            return Err(RowFault::TooManyFields);
        }
        self.names.push(name);
        Ok(())
    }

    /// The row at hand has names of its own.
    fn own_names(&mut self) {
        if let (Some(same), Some(last)) = (self.same.take(), self.rows.lists.get(self.last)) {
            self.names.extend(last.iter().take(same));
        }
    }

    /// A field that the row lacks, by name.
    pub(super) fn null(&mut self, name: &'a [u8]) -> Result<(), RowFault> {
        self.nulls.push(as_name(name)?);
        Ok(())
    }

    /// Ends the row. With its fault comes the field at fault, if it is one field.
    #[inline]
    pub(super) fn end(&mut self) -> Result<(), (Option<&'a str>, RowFault)> {
        let is_last = self.same.is_some_and(|same| same > 0 && same == self.rows.list_len(self.last));
        if !is_last || !self.nulls.is_empty() {
            self.end_other()?;
        }
        if !self.rows.places.is_empty() {
            let first_value = self.rows.values.len() - self.rows.list_len(self.last);
            self.rows.places.push(Place { list: self.last, first_value });
        }
        Ok(())
    }

    #[inline(never)]
    fn end_other(&mut self) -> Result<(), (Option<&'a str>, RowFault)> {
        self.own_names();
        if self.names.is_empty() {
            let fault = if self.nulls.is_empty() { RowFault::NoField } else { RowFault::AllNull };
            return Err((self.nulls.first().copied(), fault));
        }
        let known = self.index.get(&self.names).copied();
        if known.is_none() || !self.nulls.is_empty() {
            let mut all = [self.names.as_slice(), &self.nulls].concat();
            all.sort_unstable();
            if let Some((twice, _)) = all.iter().zip(all.iter().skip(1)).find(|(a, b)| a == b) {
                return Err((Some(twice), RowFault::Twice));
            }
        }
        self.last = known.unwrap_or_else(|| self.add_list());
        Ok(())
    }

    /// Adds the list of the row at hand.
    fn add_list(&mut self) -> usize {
        let list = self.rows.lists.len();
        self.name_bytes += self.names.iter().map(|name| name.len()).sum::<usize>();
        self.index.insert(self.names.clone(), list);
        self.rows.lists.push(self.names.clone());
        match list {
            0 => self.rows.width = self.names.len(),
            1 => {
                let (before, width) = (self.rows.ids.len() - 1, self.rows.width);
                self.rows.places =
                    (0..before).map(|row| Place { list: 0, first_value: row * width }).collect();
            }
            _ => {}
        }
        list
    }

    /// The bytes of the names in all lists so far.
    pub(super) fn name_bytes(&self) -> usize {
        self.name_bytes
    }

    pub(super) fn finish(self) -> RowBatch<'a> {
        self.rows
    }
}

/// These bytes as a field's name.
fn as_name(bytes: &[u8]) -> Result<&str, RowFault> {
    bounds::name(bytes).ok_or(RowFault::BadName)
}
