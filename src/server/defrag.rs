//! Active defragmentation: a table's pieces of memory, moved by the server's allocator.

use std::alloc::Layout;
use std::ffi::{c_int, c_ulong, c_void};
use std::mem::{self, ManuallyDrop};
use std::ptr;

use redis_module::raw;

use super::alloc::ALIGNED_TO;
use super::api::api;
use super::call::guard;
use crate::vehprice::{Mover, Table};

/// The data type's callback. It goes on where it stopped the last time, and stops again when the server's time is up.
///
/// The allocator moves only small pieces (14 KiB and less in jemalloc), so that one step, a page, is short.
pub(super) unsafe extern "C" fn defrag(
    ctx: *mut raw::RedisModuleDefragCtx,
    _key: *mut raw::RedisModuleString,
    value: *mut *mut c_void,
) -> c_int {
    let more = guard(|| {
        let mut cursor: c_ulong = 0;
        // SAFETY: the server's own context. A small table is done at one go and has no cursor: it stays 0.
        unsafe { api!(RedisModule_DefragCursorGet(ctx, &raw mut cursor)) };
        let from = usize::try_from(cursor).unwrap_or_default();
        // SAFETY: the server moves a piece of its allocator whole and frees the old one, or leaves it and answers null.
        let mut pieces = unsafe {
            Pieces::new(
                |piece, _| api!(RedisModule_DefragAlloc(ctx, piece.cast())).cast(),
                || api!(RedisModule_DefragShouldStop(ctx)) != 0,
            )
        };
        // SAFETY: the server passes the place of a value of our type, which is a boxed table, and runs nothing else meanwhile.
        let table = unsafe {
            if from == 0 {
                *value = pieces.moved((*value).cast::<Table>(), Layout::new::<Table>()).cast();
            }
            &mut *(*value).cast::<Table>()
        };
        let next = table.defrag(from, &mut pieces).and_then(|next| c_ulong::try_from(next).ok());
        if let Some(next) = next {
            // SAFETY: the server's own context.
            unsafe { api!(RedisModule_DefragCursorSet(ctx, next)) };
        }
        next.is_some()
    });
    c_int::from(more.unwrap_or(false))
}

/// The pieces of memory of a table, on their way.
struct Pieces<M, D> {
    /// Moves a piece of this layout; null if it stays where it is.
    relocate: M,
    is_done: D,
}

impl<M, D> Pieces<M, D>
where
    M: FnMut(*mut u8, Layout) -> *mut u8,
    D: FnMut() -> bool,
{
    /// # Safety
    /// `relocate` takes a piece of the global allocator. It returns null, or another one of that layout with the same
    /// bytes, and has freed the old one then.
    const unsafe fn new(relocate: M, is_done: D) -> Self {
        Self { relocate, is_done }
    }

    /// Where a piece is, after it was moved.
    fn moved<T>(&mut self, piece: *mut T, layout: Layout) -> *mut T {
        // What is empty has no memory, and what the system's allocator keeps the server's can't move.
        if layout.size() == 0 || layout.align() > ALIGNED_TO {
            return piece;
        }
        let new = (self.relocate)(piece.cast(), layout);
        if new.is_null() { piece } else { new.cast() }
    }
}

impl<M, D> Mover for Pieces<M, D>
where
    M: FnMut(*mut u8, Layout) -> *mut u8,
    D: FnMut() -> bool,
{
    fn list<T>(&mut self, list: &mut Vec<T>) {
        let Ok(layout) = Layout::array::<T>(list.capacity()) else {
            return;
        };
        let mut old = ManuallyDrop::new(mem::take(list));
        let start = self.moved(old.as_mut_ptr(), layout);
        // SAFETY: the list as it was, in a piece of the same layout; the old list is not dropped.
        *list = unsafe { Vec::from_raw_parts(start, old.len(), old.capacity()) };
    }

    fn slice<T>(&mut self, slice: &mut Box<[T]>) {
        let layout = Layout::for_value(&**slice);
        let old = Box::into_raw(mem::take(slice));
        let start = self.moved(old.cast::<T>(), layout);
        // SAFETY: the slice as it was, in a piece of the same layout; the old box was given up.
        *slice = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, old.len())) };
    }

    fn text(&mut self, text: &mut Box<str>) {
        let mut bytes = mem::take(text).into_boxed_bytes();
        self.slice(&mut bytes);
        // SAFETY: the bytes of a text, as they were.
        *text = unsafe { std::str::from_boxed_utf8_unchecked(bytes) };
    }

    fn is_done(&mut self) -> bool {
        (self.is_done)()
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{alloc, dealloc};

    use super::*;
    use crate::vehprice::Expiry;

    fn sample() -> Table {
        let mut table = Table::new([1, 2, 3, 4]);
        for id in 0..400_usize {
            let names = ["a", "b", "c"];
            let names = names.get(..=id % 3).unwrap();
            let long = "x".repeat(if id.is_multiple_of(50) { 1000 } else { id % 20 });
            let values = names.iter().map(|_| long.as_str());
            table.put(id.to_string().as_bytes(), names, values, Expiry::at(1000));
        }
        table
    }

    fn content(table: &Table) -> Vec<String> {
        let row =
            |row: crate::vehprice::Row<'_>| format!("{:?} {:?}", row.id(), row.fields().collect::<Vec<_>>());
        table.iter(0).map(row).collect()
    }

    /// Moves a piece as the server does, so that a pointer to the old one would be found out.
    fn elsewhere(piece: *mut u8, layout: Layout) -> *mut u8 {
        // SAFETY: the layout is that of the piece and is not empty; what was moved is used no more.
        unsafe {
            let new = alloc(layout);
            assert!(!new.is_null());
            ptr::copy_nonoverlapping(piece, new, layout.size());
            piece.write_bytes(0xdd, layout.size());
            dealloc(piece, layout);
            new
        }
    }

    #[test]
    fn a_table_is_the_same_after_all_of_it_was_moved() {
        let mut table = sample();
        let (before, bytes) = (content(&table), table.bytes());
        let (mut moved, mut steps, mut from) = (0, 0, Some(0));
        let relocate = |piece, layout| {
            moved += 1;
            elsewhere(piece, layout)
        };
        // SAFETY: it does as it must.
        let mut pieces = unsafe { Pieces::new(relocate, || true) };
        while let Some(step) = from {
            steps += 1;
            from = table.defrag(step, &mut pieces);
        }
        assert_eq!((content(&table), table.bytes()), (before, bytes));
        assert!(steps > 10 && moved >= table.pieces() - 10, "{moved} in {steps} steps");
        for id in 0..400 {
            assert!(table.remove(id.to_string().as_bytes(), 0));
            table.put(b"new", &["d"], ["1"].into_iter(), Expiry::NEVER);
        }
        assert_eq!(table.len(0), 1);
    }

    #[test]
    fn a_piece_may_stay_where_it_is() {
        let mut table = sample();
        let before = content(&table);
        // SAFETY: nothing is moved.
        let mut pieces = unsafe { Pieces::new(|_, _| ptr::null_mut(), || false) };
        assert_eq!(table.defrag(0, &mut pieces), None);
        assert_eq!(content(&table), before);
    }
}
