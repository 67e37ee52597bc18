//! What is found once for each shape of a table.

use std::collections::HashMap;
use std::{mem, ptr};

use super::Shape;

/// How many shapes' findings are kept besides that of the shape at hand.
const MAX_OTHERS: usize = 256;

/// What was found for each shape of a table that does not change meanwhile.
#[derive(Debug)]
pub struct ByShape<T> {
    /// The shape at hand, to compare with only, and what was found for it.
    last: (*const Shape, Option<T>),
    others: HashMap<*const Shape, T>,
}

impl<T> ByShape<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { last: (ptr::null(), None), others: HashMap::new() }
    }

    /// What was found for this shape, or is found now.
    #[inline]
    pub fn get(&mut self, shape: &Shape, find: impl FnOnce(&Shape) -> T) -> &T {
        if !ptr::eq(self.last.0, shape) {
            self.turn_to(shape);
        }
        self.last.1.get_or_insert_with(|| find(shape))
    }

    #[inline(never)]
    fn turn_to(&mut self, shape: &Shape) {
        let next = (ptr::from_ref(shape), self.others.remove(&ptr::from_ref(shape)));
        if let (last, Some(found)) = mem::replace(&mut self.last, next) {
            if self.others.len() == MAX_OTHERS {
                self.others.clear();
            }
            self.others.insert(last, found);
        }
    }
}

impl<T> Default for ByShape<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Table};
    use super::*;

    #[test]
    fn each_shape_keeps_what_was_found_for_it() {
        const SHAPES: usize = 2 * MAX_OTHERS;
        let mut table = Table::new([1, 2, 3, 4]);
        let names: Vec<String> = (0..SHAPES).map(|index| format!("f{index}")).collect();
        for name in &names {
            table.put(name.as_bytes(), &[name], [""].into_iter(), Expiry::NEVER);
        }
        let shape = |index: usize| table.get(names[index].as_bytes(), 0).unwrap().shape();
        // (which shapes in turn, how often, how many times something was found)
        for (shapes, rounds, finds) in
            [(1, 9, 1), (2, 9, 2), (MAX_OTHERS, 9, MAX_OTHERS), (SHAPES, 1, SHAPES)]
        {
            let (mut by_shape, mut found) = (ByShape::new(), 0);
            for index in (0..shapes).cycle().take(shapes * rounds) {
                let name = by_shape.get(shape(index), |shape| {
                    found += 1;
                    shape.names().next().unwrap().to_owned()
                });
                assert_eq!(*name, names[index]);
            }
            assert_eq!(found, finds, "{shapes} shapes");
        }
    }
}
