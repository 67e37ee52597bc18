//! The price table as a data type of the server.

use std::ffi::{CStr, c_int};

use quotelock_core::table::codec::{DecodeError, Decoder, encode};
use quotelock_core::table::{self, Table, group_rows};
use quotelock_server::{
    AofWriter, ChunkReader, ChunkWriter, DataType, Digest, EndsEarly, KeyName, Relocator, TypeHandle,
    clock_ms, expiry_ms, random_numbers,
};

use crate::counters::{TABLES, TABLES_BYTES, TABLES_ROWS};
use crate::vehprice::{mset_form, single_flight};

/// The version of the form in which tables are saved.
const ENCODING: c_int = 1;

/// A table as the value of a key.
pub(crate) struct PriceTable {
    pub(crate) table: Table,
    /// When it came into memory.
    pub(crate) since_ms: i64,
    share: Share,
}

impl PriceTable {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::of(Table::new(random_numbers()))
    }

    fn of(table: Table) -> Self {
        let mut new = Self { table, since_ms: clock_ms(), share: Share::new() };
        new.update_info();
        new
    }

    /// Updates what `INFO` shows of all tables; to be called after what changes this one.
    pub(crate) fn update_info(&mut self) {
        self.share.set(self.table.held_rows(), self.bytes());
    }
}

/// What a table has added to what `INFO` shows of all, taken away with it, on whichever thread that is.
struct Share {
    rows: usize,
    bytes: usize,
}

impl Share {
    fn new() -> Self {
        TABLES.replace(0, 1);
        Self { rows: 0, bytes: 0 }
    }

    fn set(&mut self, rows: usize, bytes: usize) {
        TABLES_ROWS.replace(self.rows, rows);
        TABLES_BYTES.replace(self.bytes, bytes);
        (self.rows, self.bytes) = (rows, bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        TABLES.replace(1, 0);
        TABLES_ROWS.replace(self.rows, 0);
        TABLES_BYTES.replace(self.bytes, 0);
    }
}

/// Why a saved table is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("a price table of version {0} is refused: this quotelock reads version {ENCODING}")]
    Version(c_int),
    #[error("a price table is refused: {0}")]
    EndsEarly(#[from] EndsEarly),
    #[error("a price table is refused: {0}")]
    Damaged(#[from] DecodeError),
}

impl DataType for PriceTable {
    const NAME: &'static CStr = c"vehprice1";
    const ENCODING: c_int = ENCODING;
    type LoadError = LoadError;

    fn handle() -> &'static TypeHandle<Self> {
        static HANDLE: TypeHandle<PriceTable> = TypeHandle::new();
        &HANDLE
    }

    fn load(encoding: c_int, chunks: &mut ChunkReader<'_>) -> Result<Self, LoadError> {
        if encoding != ENCODING {
            return Err(LoadError::Version(encoding));
        }
        let mut decoder = Decoder::new(random_numbers());
        while !chunks.next_chunk(|chunk| decoder.take(chunk))?? {
            chunks.pause();
        }
        let mut table = decoder.finish(|| chunks.pause())?;
        table.mark_relocated();
        Ok(Self::of(table))
    }

    fn save(&self, chunks: &mut ChunkWriter<'_>) {
        encode(&self.table, expiry_ms(), |chunk| chunks.write(chunk));
    }

    fn rewrite(&self, aof: &mut AofWriter<'_>) {
        let mut is_empty = true;
        group_rows(self.table.iter(clock_ms()), |group| {
            is_empty = false;
            mset_form::with_args_of(&group, |args| aof.write(mset_form::MSET, args.iter().copied()));
        });
        if is_empty {
            // The key is kept by hand though its rows have expired, so it must be there after a restart too.
            mset_form::with_args_of_expired_row(|args| aof.write(mset_form::MSET, args.iter().copied()));
        }
        // The rows have set the key's expiry. If a user has changed it the server writes that next, and
        // nothing if it was removed.
        aof.write(c"PERSIST", []);
    }

    fn digest(&self, digest: &mut Digest<'_>) {
        // A row is a map: the order of its fields does not count.
        for row in self.table.iter(expiry_ms()) {
            let expiry = row.expiry().unix_ms().unwrap_or(-1).to_string();
            for (name, value) in row.fields() {
                for part in [row.id(), expiry.as_bytes(), name.as_bytes(), value] {
                    digest.add(part);
                }
                digest.end_sequence();
            }
        }
    }

    fn copy(&self) -> Self {
        let mut copy = self.table.copy();
        copy.mark_relocated();
        Self::of(copy)
    }

    fn bytes(&self) -> usize {
        self.table.bytes_in(size_of::<Self>())
    }

    fn allocations(&self) -> usize {
        self.table.allocations()
    }

    fn defrag(&mut self, from: usize, relocator: &mut Relocator<'_>) -> Option<usize> {
        self.table.defrag(from, &mut ServerRelocator(relocator))
    }

    fn unlinked(&mut self, key: KeyName<'_>) {
        // It may come to another key.
        self.table.mark_relocated();
        self.update_info();
        single_flight::table_unlinked(key, &self.table);
    }
}

/// The server's relocator, as a table takes it.
struct ServerRelocator<'r, 'd>(&'r mut Relocator<'d>);

impl table::Relocator for ServerRelocator<'_, '_> {
    fn list<T>(&mut self, list: &mut Vec<T>) {
        self.0.list(list);
    }

    fn slice<T>(&mut self, slice: &mut Box<[T]>) {
        self.0.slice(slice);
    }

    fn boxed<T>(&mut self, value: Box<T>) -> Box<T> {
        self.0.boxed(value)
    }

    fn text(&mut self, text: &mut Box<str>) {
        self.0.text(text);
    }

    fn should_stop(&mut self) -> bool {
        self.0.should_stop()
    }
}
