//! Shapes: the lists of field names that rows share.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash, Hasher};

use ahash::RandomState;
use hashbrown::HashTable;

use super::memory::{Relocator, list_bytes, size_class};

/// The number of a shape in its table, below [`MAX_SHAPES`].
pub(super) type ShapeId = u32;

/// Shapes have lower numbers: a row keeps a flag in the highest bit.
pub(super) const MAX_SHAPES: ShapeId = 1 << 31;

/// A shape in its table, and how many fields it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShapeRef {
    pub(super) id: ShapeId,
    pub(super) fields: usize,
}

/// The field names of a row, in the order they were given, and the JSON around their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    names: Box<[Box<str>]>,
    /// What stands before each value: `{"name":"` for the first, `","name":"` for the others.
    json_prefixes: Box<[Box<[u8]>]>,
    /// The bytes of a row in JSON, without its values.
    json_bytes: usize,
}

impl Shape {
    #[expect(clippy::expect_used, reason = "writing a string to memory can't fail")]
    fn new(names: &[&str]) -> Self {
        let prefix = |(index, name): (usize, &&str)| {
            let mut json = if index == 0 { b"{".to_vec() } else { b"\",".to_vec() };
            serde_json::to_writer(&mut json, name).expect("a string is JSON");
            json.extend_from_slice(b":\"");
            json.into_boxed_slice()
        };
        let json_prefixes: Box<[Box<[u8]>]> = names.iter().enumerate().map(prefix).collect();
        Self {
            names: names.iter().map(|&name| name.into()).collect(),
            json_bytes: json_prefixes.iter().map(|json| json.len()).sum::<usize>() + "\"}".len(),
            json_prefixes,
        }
    }

    /// The field names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The position of a field.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.names.iter().position(|own| own.as_bytes() == name)
    }

    /// The JSON before each value, its opening quote included.
    pub fn json_prefixes(&self) -> impl Iterator<Item = &[u8]> {
        self.json_prefixes.iter().map(|json| &**json)
    }

    /// The bytes of a row in JSON, without its values.
    pub fn json_bytes(&self) -> usize {
        self.json_bytes
    }

    /// The bytes of the shape's allocations.
    fn bytes(&self) -> usize {
        let prefixes = self.json_prefixes.iter().map(|json| size_class(json.len())).sum::<usize>();
        let names = self.names.iter().map(|name| size_class(name.len())).sum::<usize>();
        let lists = size_class(size_of_val(&*self.names)) + size_class(size_of_val(&*self.json_prefixes));
        prefixes + names + lists
    }

    fn allocations(&self) -> usize {
        2 * self.names.len() + 2
    }

    fn defrag(&mut self, relocator: &mut impl Relocator) {
        relocator.slice(&mut self.names);
        self.names.iter_mut().for_each(|name| relocator.text(name));
        relocator.slice(&mut self.json_prefixes);
        self.json_prefixes.iter_mut().for_each(|json| relocator.slice(json));
    }
}

/// The shapes of a table, each kept while something refers to it.
#[derive(Clone, Debug)]
pub(super) struct Shapes {
    /// Each shape at its number, with the count of its references: rows, and who writes rows. The last place
    /// is never free.
    list: Vec<Option<(Shape, usize)>>,
    /// The free numbers. The lowest is reused first, so that the list can shrink.
    free: BTreeSet<ShapeId>,
    /// The numbers, found by the hash of the names.
    index: HashTable<ShapeId>,
    hasher: RandomState,
    /// The shape interned last: the next row mostly has it too.
    last: ShapeId,
    bytes: usize,
    allocations: usize,
}

impl Shapes {
    /// No shapes yet. `hasher` is seeded by the table.
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            list: Vec::new(),
            free: BTreeSet::new(),
            index: HashTable::new(),
            hasher,
            last: 0,
            bytes: 0,
            allocations: 0,
        }
    }

    /// The shape with this number, if there is one.
    #[inline]
    pub(super) fn find(&self, id: ShapeId) -> Option<&Shape> {
        self.list.get(id as usize)?.as_ref().map(|(shape, _)| shape)
    }

    /// The shape of a row.
    ///
    /// # Panics
    /// If there is none with this number: the row would be answered under other names.
    #[inline]
    #[expect(clippy::expect_used, reason = "a shape is kept as long as a row has it")]
    pub(super) fn get(&self, id: ShapeId) -> &Shape {
        self.find(id).expect("a row's shape is there")
    }

    /// The shape of these names, with one reference more. It is made if there is none.
    pub(super) fn intern(&mut self, names: &[&str]) -> ShapeRef {
        if self.find(self.last).is_some_and(|last| last.names().eq(names.iter().copied())) {
            self.add_ref(self.last);
        } else {
            self.last = self.intern_other(names);
        }
        ShapeRef { id: self.last, fields: names.len() }
    }

    fn intern_other(&mut self, names: &[&str]) -> ShapeId {
        let hash = hash(&self.hasher, names.iter().copied());
        let found = self.index.find(hash, |&id| self.get(id).names().eq(names.iter().copied()));
        if let Some(&id) = found {
            self.add_ref(id);
            return id;
        }
        let shape = Shape::new(names);
        self.bytes += shape.bytes();
        self.allocations += shape.allocations();
        let id = self.place(shape);
        let (list, hasher) = (&self.list, &self.hasher);
        self.index.insert_unique(hash, id, |&id| hash_of(list, hasher, id));
        id
    }

    /// Puts a new shape at the lowest free number.
    #[expect(clippy::expect_used, reason = "2^31 shapes take more memory than there is")]
    #[expect(clippy::indexing_slicing, reason = "a free number is a place of the list")]
    fn place(&mut self, shape: Shape) -> ShapeId {
        if let Some(id) = self.free.pop_first() {
            self.list[id as usize] = Some((shape, 1));
            return id;
        }
        let id = ShapeId::try_from(self.list.len()).ok().filter(|&id| id < MAX_SHAPES);
        let id = id.expect("fewer than 2^31 shapes");
        self.list.push(Some((shape, 1)));
        id
    }

    /// Adds a reference.
    ///
    /// # Panics
    /// If there is no such shape.
    pub(super) fn add_ref(&mut self, id: ShapeId) {
        *self.refs_mut(id) += 1;
    }

    /// Drops a reference; the shape goes with the last.
    ///
    /// # Panics
    /// If there is no such shape.
    pub(super) fn release(&mut self, id: ShapeId) {
        let refs = self.refs_mut(id);
        *refs -= 1;
        if *refs == 0 {
            self.remove(id);
        }
    }

    #[expect(clippy::expect_used, reason = "a shape is kept as long as a row has it")]
    fn refs_mut(&mut self, id: ShapeId) -> &mut usize {
        let place = self.list.get_mut(id as usize).and_then(Option::as_mut);
        place.map(|(_, refs)| refs).expect("a row's shape is there")
    }

    #[expect(clippy::expect_used, reason = "every shape of the list is in the index")]
    fn remove(&mut self, id: ShapeId) {
        let hash = hash_of(&self.list, &self.hasher, id);
        self.index.find_entry(hash, |&other| other == id).expect("a shape is in the index").remove();
        let shape = self.list.get_mut(id as usize).and_then(Option::take);
        let (shape, _) = shape.expect("a shape that is released is there");
        self.bytes -= shape.bytes();
        self.allocations -= shape.allocations();
        self.free.insert(id);
        self.shrink();
    }

    /// Ends the list with the last place in use, and frees memory that is no longer needed.
    fn shrink(&mut self) {
        while let Some(None) = self.list.last() {
            self.list.pop();
            self.free.pop_last();
        }
        if self.list.capacity() > self.list.len() * 4 {
            self.list.shrink_to(self.list.len() * 2);
        }
        if self.index.capacity() > self.index.len() * 4 {
            let (list, hasher) = (&self.list, &self.hasher);
            self.index.shrink_to(self.index.len() * 2, |&id| hash_of(list, hasher, id));
        }
    }

    /// How many places the list has, taken or free.
    pub(super) fn places(&self) -> usize {
        self.list.len()
    }

    /// Moves the list. (The index and the set of free numbers offer no way to their memory.)
    pub(super) fn defrag_list(&mut self, relocator: &mut impl Relocator) {
        relocator.list(&mut self.list);
    }

    /// Moves the allocations of the shape at this place, if there is one.
    pub(super) fn defrag_shape(&mut self, place: usize, relocator: &mut impl Relocator) {
        if let Some(Some((shape, _))) = self.list.get_mut(place) {
            shape.defrag(relocator);
        }
    }

    /// How many allocations the shapes have.
    pub(super) fn allocations(&self) -> usize {
        self.allocations
    }

    /// The bytes of all shapes.
    pub(super) fn bytes(&self) -> usize {
        // A set of numbers takes some three times their own bytes.
        let free = self.free.len() * size_of::<[ShapeId; 3]>();
        self.bytes + list_bytes(&self.list) + free + size_class(self.index.allocation_size())
    }
}

/// The hash of a list of names; a name's end counts, so that no two lists are hashed as one text.
fn hash<'n>(hasher: &RandomState, names: impl Iterator<Item = &'n str>) -> u64 {
    let mut state = hasher.build_hasher();
    names.for_each(|name| name.hash(&mut state));
    state.finish()
}

#[expect(clippy::expect_used, reason = "the index has the numbers of shapes that are there")]
fn hash_of(list: &[Option<(Shape, usize)>], hasher: &RandomState, id: ShapeId) -> u64 {
    let shape = list.get(id as usize).and_then(Option::as_ref);
    hash(hasher, shape.expect("an indexed shape is there").0.names())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> Shapes {
        Shapes::new(ahash::RandomState::with_seeds(1, 2, 3, 4))
    }

    #[test]
    fn rows_with_the_same_names_share_a_shape() {
        let mut shapes = shapes();
        let a = shapes.intern(&["styleId", "pricingId"]);
        let b = shapes.intern(&["styleId", "pricingId"]);
        let other_order = shapes.intern(&["pricingId", "styleId"]);
        let one_name = shapes.intern(&["styleIdpricingId"]);
        assert_eq!(a, b);
        assert_eq!(shapes.index.len(), 3);
        assert!(a != other_order && a != one_name && other_order != one_name);
    }

    #[test]
    fn a_shape_goes_with_its_last_row_and_its_number_is_used_again() {
        let mut shapes = shapes();
        let a = shapes.intern(&["a"]).id;
        shapes.add_ref(a);
        shapes.release(a);
        assert!(shapes.find(a).is_some());
        shapes.release(a);
        assert!(shapes.find(a).is_none());
        assert_eq!(shapes.bytes, 0);
        let b = shapes.intern(&["b"]).id;
        assert_eq!(a, b);
        assert_eq!(shapes.get(b).names().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn the_memory_of_many_shapes_is_freed() {
        let mut shapes = shapes();
        let empty = shapes.bytes();
        let ids: Vec<_> = (0..1000).map(|id| shapes.intern(&[id.to_string().as_str()]).id).collect();
        assert!(shapes.bytes() > empty && shapes.allocations() == 4000);
        ids.into_iter().for_each(|id| shapes.release(id));
        assert_eq!((shapes.bytes(), shapes.allocations()), (empty, 0));
    }

    #[test]
    fn shapes_that_come_and_go_take_no_more_memory_than_those_that_stay() {
        let mut shapes = shapes();
        let take = |shapes: &mut Shapes, number: u32| shapes.intern(&[number.to_string().as_str()]).id;
        let mut ids: std::collections::VecDeque<_> = (0..100).map(|id| take(&mut shapes, id)).collect();
        let (places, bytes) = (shapes.places(), shapes.bytes());
        for number in 100..20_000 {
            ids.push_back(take(&mut shapes, number));
            ids.pop_front().into_iter().for_each(|id| shapes.release(id));
            assert!(shapes.places() <= places + 1, "{number}: {} places", shapes.places());
        }
        assert!(shapes.bytes() < bytes * 2, "{} bytes, {bytes} at first", shapes.bytes());
        // The list shrinks again after a rush, as the lowest number is reused first.
        let rush: Vec<_> = (20_000..30_000).map(|number| take(&mut shapes, number)).collect();
        assert!(shapes.places() == 10_100 && shapes.bytes() > bytes * 50);
        rush.into_iter().for_each(|id| shapes.release(id));
        assert!(shapes.places() <= places + 1 && shapes.bytes() < bytes * 2, "{} bytes", shapes.bytes());
    }

    #[test]
    fn json_around_values() {
        let mut shapes = shapes();
        let id = shapes.intern(&["a", "b\"Ā"]).id;
        let json: Vec<_> =
            shapes.get(id).json_prefixes().map(|json| String::from_utf8(json.to_vec()).unwrap()).collect();
        assert_eq!(json, ["{\"a\":\"", "\",\"b\\\"Ā\":\""]);
    }
}
