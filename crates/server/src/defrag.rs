//! Active defragmentation: a value's allocations, moved by the server's allocator.

use std::alloc::Layout;
use std::ffi::{c_int, c_ulong, c_void};
use std::mem::{self, ManuallyDrop};
use std::ptr;

use redis_module::raw;

use crate::DataType;
use crate::alloc::ALIGNED_TO;
use crate::api::api;
use crate::guard::guard;

/// The data type's callback. It goes on where it stopped last time, and stops again when the server's time is
/// up.
///
/// The allocator moves only small allocations (14 KiB and less in jemalloc), so that one step is short.
pub(crate) unsafe extern "C" fn defrag<T: DataType>(
    ctx: *mut raw::RedisModuleDefragCtx,
    _key: *mut raw::RedisModuleString,
    value: *mut *mut c_void,
) -> c_int {
    let is_unfinished = guard(|| {
        let mut cursor: c_ulong = 0;
        // SAFETY: the server's own context. A small value is done in one go and has no cursor: it stays 0.
        unsafe { api!(RedisModule_DefragCursorGet(ctx, &raw mut cursor)) };
        let from = usize::try_from(cursor).unwrap_or_default();
        // SAFETY: the server moves an allocation whole and frees the old one, or leaves it and returns null.
        let mut relocate =
            |start: *mut u8, _| unsafe { api!(RedisModule_DefragAlloc(ctx, start.cast())) }.cast();
        // SAFETY: the server's own context.
        let mut should_stop = || unsafe { api!(RedisModule_DefragShouldStop(ctx)) != 0 };
        // SAFETY: `relocate` does as it must.
        let mut relocator = unsafe { Relocator::new(&mut relocate, &mut should_stop) };
        // SAFETY: the server passes the place of a value of this type, which is boxed, and runs nothing else
        // meanwhile.
        let value = unsafe {
            if from == 0 {
                *value = relocator.relocate((*value).cast::<T>(), Layout::new::<T>()).cast();
            }
            &mut *(*value).cast::<T>()
        };
        let next = value.defrag(from, &mut relocator).and_then(|next| c_ulong::try_from(next).ok());
        if let Some(next) = next {
            // SAFETY: the server's own context.
            unsafe { api!(RedisModule_DefragCursorSet(ctx, next)) };
        }
        next.is_some()
    });
    c_int::from(is_unfinished.unwrap_or(false))
}

/// Moves allocations to where the server's allocator would rather have them.
pub struct Relocator<'d> {
    /// Moves an allocation of this layout; null if it stays where it is.
    relocate: &'d mut dyn FnMut(*mut u8, Layout) -> *mut u8,
    should_stop: &'d mut dyn FnMut() -> bool,
}

impl<'d> Relocator<'d> {
    /// # Safety
    /// `relocate` takes an allocation of the global allocator. It returns null; or another of that layout
    /// with the same bytes, after it has freed the old one.
    unsafe fn new(
        relocate: &'d mut dyn FnMut(*mut u8, Layout) -> *mut u8,
        should_stop: &'d mut dyn FnMut() -> bool,
    ) -> Self {
        Self { relocate, should_stop }
    }

    /// Whether to stop for now.
    pub fn should_stop(&mut self) -> bool {
        (self.should_stop)()
    }

    /// Moves the memory of a list.
    pub fn list<T>(&mut self, list: &mut Vec<T>) {
        let Ok(layout) = Layout::array::<T>(list.capacity()) else {
            return;
        };
        let mut old = ManuallyDrop::new(mem::take(list));
        let start = self.relocate(old.as_mut_ptr(), layout);
        // SAFETY: the list as it was, in an allocation of the same layout; the old list is not dropped.
        *list = unsafe { Vec::from_raw_parts(start, old.len(), old.capacity()) };
    }

    /// Moves the memory of a boxed slice.
    pub fn slice<T>(&mut self, slice: &mut Box<[T]>) {
        let layout = Layout::for_value(&**slice);
        let old = Box::into_raw(mem::take(slice));
        let start = self.relocate(old.cast::<T>(), layout);
        // SAFETY: the slice as it was, in an allocation of the same layout; the old box was given up.
        *slice = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, old.len())) };
    }

    /// Moves what is boxed.
    pub fn boxed<T>(&mut self, value: Box<T>) -> Box<T> {
        let start = self.relocate(Box::into_raw(value), Layout::new::<T>());
        // SAFETY: the value as it was, in an allocation of the same layout; the old box was given up.
        unsafe { Box::from_raw(start) }
    }

    /// Moves a text.
    pub fn text(&mut self, text: &mut Box<str>) {
        let mut bytes = mem::take(text).into_boxed_bytes();
        self.slice(&mut bytes);
        // SAFETY: the bytes of a text, as they were.
        *text = unsafe { std::str::from_boxed_utf8_unchecked(bytes) };
    }

    /// Where an allocation is after the attempt to move it.
    fn relocate<T>(&mut self, start: *mut T, layout: Layout) -> *mut T {
        // An empty list has no memory, and the server can't move what the system's allocator holds.
        if layout.size() == 0 || layout.align() > ALIGNED_TO {
            return start;
        }
        let new = (self.relocate)(start.cast(), layout);
        if new.is_null() { start } else { new.cast() }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{alloc, dealloc};

    use quotelock_core::table::{self, Expiry, Table};

    use super::*;

    /// What values are made of.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Sample {
        numbers: Vec<u64>,
        texts: Vec<Box<str>>,
        bytes: Box<[u8]>,
        boxed: Option<Box<u32>>,
        nothing: Option<Box<()>>,
        empty: Vec<u8>,
        aligned: Vec<Aligned>,
    }

    #[derive(Clone, Debug, PartialEq)]
    #[repr(align(64))]
    struct Aligned(u8);

    fn sample() -> Sample {
        let mut numbers = Vec::with_capacity(100);
        numbers.extend(0..70);
        let texts = ["", "a", "price"].map(Box::from).to_vec();
        Sample {
            numbers,
            texts,
            bytes: [7; 1000].into(),
            boxed: Some(Box::new(7)),
            nothing: Some(Box::new(())),
            empty: Vec::new(),
            aligned: vec![Aligned(1); 3],
        }
    }

    fn defrag(sample: &mut Sample, relocator: &mut Relocator<'_>) {
        relocator.list(&mut sample.numbers);
        relocator.list(&mut sample.texts);
        sample.texts.iter_mut().for_each(|text| relocator.text(text));
        relocator.slice(&mut sample.bytes);
        sample.boxed = sample.boxed.take().map(|boxed| relocator.boxed(boxed));
        sample.nothing = sample.nothing.take().map(|nothing| relocator.boxed(nothing));
        relocator.list(&mut sample.empty);
        relocator.list(&mut sample.aligned);
    }

    /// Moves an allocation as the server does, so that a pointer to the old one would be found out.
    fn elsewhere(start: *mut u8, layout: Layout) -> *mut u8 {
        // SAFETY: the layout is that of the allocation and is not empty; what was moved is not used again.
        unsafe {
            let new = alloc(layout);
            assert!(!new.is_null());
            ptr::copy_nonoverlapping(start, new, layout.size());
            start.write_bytes(0xdd, layout.size());
            dealloc(start, layout);
            new
        }
    }

    #[test]
    fn a_value_is_the_same_after_all_of_it_was_moved() {
        let mut value = sample();
        let mut moved = 0;
        let mut relocate = |start, layout| {
            moved += 1;
            elsewhere(start, layout)
        };
        let mut should_stop = || true;
        // SAFETY: it does as it must.
        let mut relocator = unsafe { Relocator::new(&mut relocate, &mut should_stop) };
        defrag(&mut value, &mut relocator);
        assert!(relocator.should_stop());
        assert_eq!(value, sample());
        assert_eq!(value.numbers.capacity(), 100);
        // Neither what is empty nor what is aligned to more than the server's allocator serves.
        assert_eq!(moved, 6);
        value.numbers.extend(0..1000);
        value.texts.push("more".into());
    }

    struct TableRelocator<'r, 'd>(&'r mut Relocator<'d>);

    impl table::Relocator for TableRelocator<'_, '_> {
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

    fn sample_table() -> Table {
        let mut table = Table::new([1, 2, 3, 4]);
        for id in 0..400_usize {
            let names = &["a", "b", "c"][..=id % 3];
            let text = "x".repeat(if id.is_multiple_of(50) { 1000 } else { id % 20 });
            let values = names.iter().map(|_| text.as_str());
            table.put(id.to_string().as_bytes(), names, values, Expiry::at(1000));
        }
        table
    }

    /// Moves all of a table, in many steps. Returns how many allocations that were.
    fn move_all(table: &mut Table) -> usize {
        let (mut moved, mut steps, mut from) = (0, 0, Some(0));
        let mut relocate = |start, layout| {
            moved += 1;
            elsewhere(start, layout)
        };
        let mut should_stop = || true;
        // SAFETY: it does as it must.
        let mut relocator = unsafe { Relocator::new(&mut relocate, &mut should_stop) };
        while let Some(step) = from {
            steps += 1;
            from = table.defrag(step, &mut TableRelocator(&mut relocator));
        }
        assert!(steps > 10);
        moved
    }

    fn rows(table: &Table) -> Vec<String> {
        table.iter(0).map(|row| format!("{:?} {:?}", row.id(), row.fields().collect::<Vec<_>>())).collect()
    }

    #[test]
    fn a_table_is_the_same_after_all_of_it_was_moved() {
        let mut table = sample_table();
        let before = rows(&table);
        let moved = move_all(&mut table);
        assert_eq!(rows(&table), before);
        assert!(moved >= table.allocations() - 10, "{moved}");
        for id in 0..400 {
            assert!(table.remove(id.to_string().as_bytes(), 0));
            table.put(b"new", &["d"], ["1"].into_iter(), Expiry::NEVER);
        }
        assert_eq!(table.len(0), 1);
    }

    #[test]
    fn what_a_table_remembers_of_its_history_is_moved_too() {
        const GONE: [&[u8]; 2] = [b"gone", b"gone too"];

        let [mut plain, mut followed] = [sample_table(), sample_table()];
        let since = followed.revision(0, || 1);
        for id in GONE {
            for table in [&mut plain, &mut followed] {
                table.put(id, &["a"], ["x"].into_iter(), Expiry::NEVER);
                assert!(table.remove(id, 0));
            }
        }
        // The history, its list, and each id.
        assert_eq!(move_all(&mut followed), move_all(&mut plain) + 4);
        assert_eq!(followed.changes(Some(since), 0, || 2).deleted, GONE);
    }

    #[test]
    fn an_allocation_may_stay_where_it_is() {
        let mut value = sample();
        let (mut relocate, mut should_stop) = (|_, _| ptr::null_mut(), || false);
        // SAFETY: nothing is moved.
        let mut relocator = unsafe { Relocator::new(&mut relocate, &mut should_stop) };
        defrag(&mut value, &mut relocator);
        assert_eq!(value, sample());
    }
}
