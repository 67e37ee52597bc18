//! Keys of the server, and a map from them. A key counts whether it holds a table or not.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A key of one of the server's databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableKey<'k> {
    /// The database.
    pub db: i32,
    /// The key's name.
    pub name: &'k [u8],
}

/// A `TableKey` that owns its name, and shares it with its clones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedTableKey {
    db: i32,
    name: Arc<[u8]>,
}

impl OwnedTableKey {
    /// The key.
    pub fn as_key(&self) -> TableKey<'_> {
        TableKey { db: self.db, name: &self.name }
    }
}

impl From<TableKey<'_>> for OwnedTableKey {
    fn from(table: TableKey<'_>) -> Self {
        Self { db: table.db, name: table.name.into() }
    }
}

/// The values of one database, by the name of their key.
pub(super) type NameMap<T> = BTreeMap<Arc<[u8]>, T>;

/// A map from keys. Two levels deep, so that a whole database comes out at once.
#[derive(Debug)]
pub(super) struct TableMap<T>(BTreeMap<i32, NameMap<T>>);

impl<T> TableMap<T> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn get(&self, table: TableKey<'_>) -> Option<&T> {
        self.0.get(&table.db)?.get(table.name)
    }

    pub(super) fn get_mut(&mut self, table: TableKey<'_>) -> Option<&mut T> {
        self.0.get_mut(&table.db)?.get_mut(table.name)
    }

    /// The key as the map keeps it, so that its name is not copied; `None` if there is no value.
    pub(super) fn owned_key(&self, table: TableKey<'_>) -> Option<OwnedTableKey> {
        let (name, _) = self.0.get(&table.db)?.get_key_value(table.name)?;
        Some(OwnedTableKey { db: table.db, name: Arc::clone(name) })
    }

    /// The keys that have a value.
    pub(super) fn keys(&self) -> impl Iterator<Item = TableKey<'_>> {
        self.0.iter().flat_map(|(db, names)| names.keys().map(|name| TableKey { db: *db, name }))
    }

    pub(super) fn get_or_insert_with(&mut self, table: &OwnedTableKey, make: impl FnOnce() -> T) -> &mut T {
        self.0.entry(table.db).or_default().entry(Arc::clone(&table.name)).or_insert_with(make)
    }

    pub(super) fn remove(&mut self, table: TableKey<'_>) -> Option<(Arc<[u8]>, T)> {
        let names = self.0.get_mut(&table.db)?;
        let removed = names.remove_entry(table.name);
        if names.is_empty() {
            self.0.remove(&table.db);
        }
        removed
    }

    /// Takes out the values of one database, or of every database.
    pub(super) fn take(&mut self, db: Option<i32>) -> impl Iterator<Item = NameMap<T>> + use<T> {
        let taken = match db {
            Some(db) => self.0.remove_entry(&db).into_iter().collect(),
            None => std::mem::take(&mut self.0),
        };
        taken.into_values()
    }
}
