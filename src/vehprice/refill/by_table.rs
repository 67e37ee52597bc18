//! Things kept for keys of the server, whether they hold a table or not.

use std::collections::BTreeMap;

/// A key of one of the server's databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableKey<'k> {
    /// The database.
    pub db: i32,
    /// The key's name.
    pub name: &'k [u8],
}

/// What is kept for the keys of a database, by name.
pub(super) type ByName<T> = BTreeMap<Box<[u8]>, T>;

/// One thing a key.
#[derive(Debug)]
pub(super) struct ByTable<T>(BTreeMap<i32, ByName<T>>);

impl<T> ByTable<T> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn get(&self, table: TableKey<'_>) -> Option<&T> {
        self.0.get(&table.db)?.get(table.name)
    }

    pub(super) fn get_mut(&mut self, table: TableKey<'_>) -> Option<&mut T> {
        self.0.get_mut(&table.db)?.get_mut(table.name)
    }

    /// What is kept for this key, made if there is nothing.
    pub(super) fn get_or_make(&mut self, table: TableKey<'_>, make: impl FnOnce() -> T) -> &mut T {
        self.0.entry(table.db).or_default().entry(table.name.into()).or_insert_with(make)
    }

    pub(super) fn remove(&mut self, table: TableKey<'_>) -> Option<T> {
        let tables = self.0.get_mut(&table.db)?;
        let removed = tables.remove(table.name);
        if tables.is_empty() {
            self.0.remove(&table.db);
        }
        removed
    }

    /// Takes what is kept for the keys of a database, or of each.
    pub(super) fn take(&mut self, db: Option<i32>) -> impl Iterator<Item = ByName<T>> + use<T> {
        let taken = match db {
            Some(db) => self.0.remove_entry(&db).into_iter().collect(),
            None => std::mem::take(&mut self.0),
        };
        taken.into_values()
    }
}
