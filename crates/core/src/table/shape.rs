//! Shapes: the lists of field names that rows share.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash, Hasher};

use ahash::RandomState;
use hashbrown::HashTable;

use super::memory::{Relocator, list_bytes, size_class};
use crate::json::needs_escapes;

/// The number of a shape in its table, below [`MAX_SHAPES`].
pub(super) type ShapeId = u32;

/// Shapes have lower numbers: a row keeps a flag in the highest bit.
pub(super) const MAX_SHAPES: ShapeId = 1 << 31;

/// A shape in its table, and what writing a row needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShapeRef {
    pub(super) id: ShapeId,
    /// How many fields it has.
    pub(super) fields: usize,
    /// Whether no name has a character that JSON escapes.
    pub(super) is_plain: bool,
}

/// The field names of a row, in the order they were given, and the JSON around their values: in one text, so
/// that a shape takes little more than its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What stands before each value: `{"name":"` for the first, `","name":"` for the others. If a name needs
    /// escapes, the names alone.
    text: Box<str>,
    /// The length of each of these pieces.
    lengths: Box<[u16]>,
    is_plain: bool,
}

impl Shape {
    #[expect(clippy::expect_used, reason = "names have at most 256 bytes where they come in")]
    fn new(names: &[&str]) -> Self {
        let is_plain = !names.iter().any(|name| needs_escapes(name.as_bytes()));
        let (mut text, mut lengths) = (String::new(), Vec::with_capacity(names.len()));
        for (index, name) in names.iter().enumerate() {
            let around = if is_plain { (Self::opening(index), Self::CLOSING) } else { ("", "") };
            let before = text.len();
            text.extend([around.0, name, around.1]);
            lengths.push(u16::try_from(text.len() - before).expect("a name is short"));
        }
        Self { text: text.into_boxed_str(), lengths: lengths.into_boxed_slice(), is_plain }
    }

    /// What stands between a name and its value.
    const CLOSING: &str = "\":\"";

    /// What stands before a name.
    fn opening(index: usize) -> &'static str {
        if index == 0 { "{\"" } else { "\",\"" }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are none; no row has such a shape.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The field names.
    #[expect(clippy::string_slice, reason = "pieces are as long as `new` made them")]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut rest = &*self.text;
        self.lengths.iter().enumerate().map(move |(index, &length)| {
            let (piece, after) = rest.split_at(usize::from(length));
            rest = after;
            if self.is_plain {
                &piece[Self::opening(index).len()..piece.len() - Self::CLOSING.len()]
            } else {
                piece
            }
        })
    }

    /// The position of a field.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.names().position(|own| own.as_bytes() == name)
    }

    /// The JSON before each value, its opening quote included; only where no name needs escapes.
    #[inline]
    pub(super) fn json_prefixes(&self) -> impl Iterator<Item = &[u8]> {
        debug_assert!(self.is_plain);
        let mut rest = self.text.as_bytes();
        self.lengths.iter().map(move |&length| {
            let (piece, after) = rest.split_at(usize::from(length));
            rest = after;
            piece
        })
    }

    /// The bytes of a row in JSON without its values; where a name needs escapes fewer, but never fewer than
    /// its names.
    #[inline]
    pub fn json_bytes(&self) -> usize {
        self.text.len() + "\"}".len()
    }

    /// The bytes of the shape's allocations.
    fn bytes(&self) -> usize {
        size_class(self.text.len()) + size_class(size_of_val(&*self.lengths))
    }

    fn defrag(&mut self, relocator: &mut impl Relocator) {
        relocator.text(&mut self.text);
        relocator.slice(&mut self.lengths);
    }
}

/// How many allocations a shape has.
const SHAPE_ALLOCATIONS: usize = 2;

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
}

impl Shapes {
    /// No shapes yet. `hasher` is seeded by the table.
    pub(super) fn new(hasher: RandomState) -> Self {
        Self { list: Vec::new(), free: BTreeSet::new(), index: HashTable::new(), hasher, last: 0, bytes: 0 }
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
        self.shape_ref(self.last)
    }

    fn shape_ref(&self, id: ShapeId) -> ShapeRef {
        let shape = self.get(id);
        ShapeRef { id, fields: shape.len(), is_plain: shape.is_plain }
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
        SHAPE_ALLOCATIONS * self.index.len()
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
        assert!(shapes.bytes() > empty && shapes.allocations() == 2000);
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
    fn names_and_the_json_around_values() {
        let mut shapes = shapes();
        let plain = shapes.intern(&["a", "pricingId", "Ā"]);
        let escaped = shapes.intern(&["a", "b\"Ā", ""]);
        assert!(plain.is_plain && !escaped.is_plain);
        let plain = shapes.get(plain.id);
        let json: Vec<_> =
            plain.json_prefixes().map(|json| String::from_utf8(json.to_vec()).unwrap()).collect();
        assert_eq!(json, ["{\"a\":\"", "\",\"pricingId\":\"", "\",\"Ā\":\""]);
        assert_eq!(plain.json_bytes(), json.concat().len() + 2);
        assert_eq!(plain.names().collect::<Vec<_>>(), ["a", "pricingId", "Ā"]);
        assert_eq!(shapes.get(escaped.id).names().collect::<Vec<_>>(), ["a", "b\"Ā", ""]);
    }

    #[test]
    fn a_shape_takes_little_more_than_its_names() {
        // Names that JSON writes six times as long, and plain ones.
        for fill in ["\u{1}", "x"] {
            let mut shapes = shapes();
            let names: Vec<String> = (0..64).map(|index| format!("{}{index:02}", fill.repeat(254))).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let before = shapes.bytes();
            shapes.intern(&names);
            let (taken, given) = (shapes.bytes() - before, names.concat().len());
            assert!(taken < given * 3 / 2, "{taken} bytes for {given}");
        }
    }
}
