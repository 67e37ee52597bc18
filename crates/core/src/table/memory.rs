//! Allocations: moving them, what they really take, and growing lists without waste.

/// Moves allocations to where the allocator would rather have them; their content and capacity stay as they
/// are.
pub trait Relocator {
    /// Moves the memory of a list.
    fn list<T>(&mut self, list: &mut Vec<T>);

    /// Moves the memory of a boxed slice.
    fn slice<T>(&mut self, slice: &mut Box<[T]>);

    /// Moves what is boxed.
    fn boxed<T>(&mut self, value: Box<T>) -> Box<T>;

    /// Moves a text.
    fn text(&mut self, text: &mut Box<str>);

    /// Whether to stop for now.
    fn should_stop(&mut self) -> bool;
}

/// About what the allocation takes that serves a request for this many bytes: jemalloc, Redis's allocator,
/// serves sizes in steps, of 16 bytes up to 128 and then four to each doubling. (Other allocators come
/// close.)
pub(super) fn size_class(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let step = 1 << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(step)
}

/// What the memory of a list takes.
pub(super) fn list_bytes<T>(list: &Vec<T>) -> usize {
    size_class(list.capacity() * size_of::<T>())
}

/// Makes room for `more` elements, and grows a full list by an eighth and by `min` elements at least, up to
/// the end of the allocator's step: doubling would waste more where there are many small lists. Returns by how
/// many bytes its memory grew.
#[inline]
pub(super) fn grow<T>(list: &mut Vec<T>, more: usize, min: usize) -> usize {
    if list.capacity() - list.len() >= more {
        return 0;
    }
    let before = list_bytes(list);
    let wanted = list.len() + more.max(list.len() / 8).max(min);
    let capacity = size_class(wanted * size_of::<T>()) / size_of::<T>();
    list.reserve_exact(capacity - list.len());
    list_bytes(list) - before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_memory() {
        let cases = [
            (0, 0),
            (1, 16),
            (16, 16),
            (17, 32),
            (128, 128),
            (129, 160),
            (160, 160),
            (161, 192),
            (256, 256),
            (257, 320),
            (1024, 1024),
            (1025, 1280),
            (5000, 5120),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size_class(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn lists_grow_to_the_end_of_a_step() {
        let mut list: Vec<u32> = Vec::new();
        assert_eq!(grow(&mut list, 1, 8), 32);
        assert_eq!(list.capacity(), 8);
        list.extend([0; 7]);
        assert_eq!(grow(&mut list, 1, 8), 0);
        list.push(0);
        assert_eq!(grow(&mut list, 1, 8), 32);
        assert_eq!(list.capacity(), 16);
    }
}
