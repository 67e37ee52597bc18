//! Things kept for keys of the server, whether they hold a table or not.

use std::collections::{BTreeMap, HashMap};

use ahash::RandomState;

/// A key of one of the server's databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableKey<'k> {
    /// The database.
    pub db: i32,
    /// The key's name.
    pub name: &'k [u8],
}

/// One thing a key.
#[derive(Debug)]
pub(super) struct ByTable<T> {
    hasher: RandomState,
    databases: BTreeMap<i32, HashMap<Box<[u8]>, T, RandomState>>,
}

impl<T> ByTable<T> {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self { hasher, databases: BTreeMap::new() }
    }

    pub(super) fn get(&self, table: TableKey<'_>) -> Option<&T> {
        self.databases.get(&table.db)?.get(table.name)
    }

    pub(super) fn get_mut(&mut self, table: TableKey<'_>) -> Option<&mut T> {
        self.databases.get_mut(&table.db)?.get_mut(table.name)
    }

    /// What is kept for this key, made if there is nothing.
    pub(super) fn get_or_make(&mut self, table: TableKey<'_>, make: impl FnOnce() -> T) -> &mut T {
        let hasher = &self.hasher;
        let tables = self.databases.entry(table.db).or_insert_with(|| HashMap::with_hasher(hasher.clone()));
        tables.entry(table.name.into()).or_insert_with(make)
    }

    pub(super) fn remove(&mut self, table: TableKey<'_>) -> Option<T> {
        let tables = self.databases.get_mut(&table.db)?;
        let removed = tables.remove(table.name);
        if tables.is_empty() {
            self.databases.remove(&table.db);
        }
        removed
    }

    /// Takes what is kept for the keys of a database, or of all.
    pub(super) fn take(&mut self, db: Option<i32>) -> impl Iterator<Item = T> + use<T> {
        let taken = match db {
            Some(db) => self.databases.remove_entry(&db).into_iter().collect(),
            None => std::mem::take(&mut self.databases),
        };
        taken.into_values().flat_map(HashMap::into_values)
    }
}
