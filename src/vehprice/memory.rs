//! What a piece of memory really takes: allocators serve sizes in steps.

/// Moves pieces of memory to where the allocator would rather have them: their content and capacity stay as they are.
pub trait Mover {
    /// Moves the memory of a list.
    fn list<T>(&mut self, list: &mut Vec<T>);

    /// Moves the memory of a list that does not grow.
    fn slice<T>(&mut self, slice: &mut Box<[T]>);

    /// Moves a text.
    fn text(&mut self, text: &mut Box<str>);

    /// Whether that was enough for now.
    fn is_done(&mut self) -> bool;
}

/// The size that a request for so many bytes takes, in the steps of jemalloc, Redis's allocator: sixteens up to 128 bytes,
/// then four steps to each doubling. (Other allocators come close.)
pub(super) fn size_class(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let doubling = bytes.saturating_sub(1).checked_ilog2().unwrap_or_default();
    let step = 1_usize.checked_shl(doubling.saturating_sub(2)).unwrap_or(1);
    bytes.checked_next_multiple_of(step).unwrap_or(bytes)
}

/// What the memory of a list takes.
pub(super) fn list_bytes<T>(list: &Vec<T>) -> usize {
    size_class(list.capacity().saturating_mul(size_of::<T>()))
}

/// Makes room for `more` elements in a list, and an eighth beyond, `least` at least, as far as its last step of memory goes:
/// where there are many small lists, doubling would waste more.
pub(super) fn grow<T>(list: &mut Vec<T>, more: usize, least: usize) {
    if list.capacity().saturating_sub(list.len()) < more {
        let wanted = list.len().saturating_add(more.max(list.len() / 8).max(least));
        let bytes = size_class(wanted.saturating_mul(size_of::<T>()));
        let capacity = bytes.checked_div(size_of::<T>()).unwrap_or(wanted);
        list.reserve_exact(capacity.saturating_sub(list.len()));
    }
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
        grow(&mut list, 1, 8);
        assert_eq!(list.capacity(), 8);
        list.extend([0; 8]);
        grow(&mut list, 1, 8);
        assert_eq!(list.capacity(), 16);
    }
}
