//! Shapes: the lists of field names that rows share.

use std::collections::{BTreeSet, HashMap};

use super::memory::{Mover, list_bytes, size_class};

/// The number of a shape in its table.
pub type ShapeId = u32;

/// The field names of a row, in the order they were given, and the JSON that goes around their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Every name after its length, as [`joined`] writes them.
    joined: Box<[u8]>,
    names: Box<[Box<str>]>,
    /// What stands before each value: `{"name":"` for the first, `","name":"` for the others.
    openings: Box<[Box<[u8]>]>,
    /// The bytes of all that stands around the values.
    json_bytes: usize,
}

impl Shape {
    fn new(names: &[&str]) -> Self {
        let opening = |(index, name): (usize, &&str)| {
            let mut json = if index == 0 { b"{".to_vec() } else { b"\",".to_vec() };
            // Writing a string to memory has no way to fail.
            let _ = serde_json::to_writer(&mut json, name);
            json.extend_from_slice(b":\"");
            json.into_boxed_slice()
        };
        let openings: Box<[Box<[u8]>]> = names.iter().enumerate().map(opening).collect();
        Self {
            joined: joined(names).into_boxed_slice(),
            names: names.iter().map(|&name| name.into()).collect(),
            json_bytes: openings.iter().map(|json| json.len()).sum::<usize>().saturating_add("\"}".len()),
            openings,
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
    pub fn openings(&self) -> impl Iterator<Item = &[u8]> {
        self.openings.iter().map(|json| &**json)
    }

    /// The bytes of a row in JSON, its values left out.
    pub fn json_bytes(&self) -> usize {
        self.json_bytes
    }

    /// The bytes this shape takes besides its place in the list.
    fn bytes(&self) -> usize {
        let texts = self.openings.iter().map(|json| size_class(json.len())).sum::<usize>();
        let names = self.names.iter().map(|name| size_class(name.len())).sum::<usize>();
        let pointers = size_class(self.names.len().saturating_mul(size_of::<Box<str>>()));
        // The joined names are kept here and in the index.
        let twice = pointers.saturating_add(size_class(self.joined.len())).saturating_mul(2);
        texts.saturating_add(names).saturating_add(twice)
    }

    /// How many pieces of memory it has, in its place in the index too.
    fn pieces(&self) -> usize {
        self.names.len().saturating_mul(2).saturating_add(4)
    }

    /// Has its pieces moved, but for the one in the index.
    fn defrag(&mut self, mover: &mut impl Mover) {
        mover.slice(&mut self.joined);
        mover.slice(&mut self.names);
        self.names.iter_mut().for_each(|name| mover.text(name));
        mover.slice(&mut self.openings);
        self.openings.iter_mut().for_each(|json| mover.slice(json));
    }
}

/// The names as one text that differs for every list of names.
fn joined(names: &[&str]) -> Vec<u8> {
    let mut joined = Vec::new();
    for name in names {
        joined.extend_from_slice(&name.len().to_le_bytes());
        joined.extend_from_slice(name.as_bytes());
    }
    joined
}

/// The shapes of a table, each kept while a row has it.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Each shape at its number, with the count of its rows. The last place is never free.
    list: Vec<Option<(Shape, usize)>>,
    /// The numbers of the places that are free. The lowest is given out first, so that the list can end earlier in time.
    free: BTreeSet<ShapeId>,
    by_joined: HashMap<Box<[u8]>, ShapeId, ahash::RandomState>,
    /// The shape that was taken last: the next row mostly has it too.
    last: ShapeId,
    bytes: usize,
    pieces: usize,
}

impl Shapes {
    /// No shapes yet. `hasher` is seeded by the table.
    pub fn new(hasher: ahash::RandomState) -> Self {
        Self {
            list: Vec::new(),
            free: BTreeSet::new(),
            by_joined: HashMap::with_hasher(hasher),
            last: 0,
            bytes: 0,
            pieces: 0,
        }
    }

    /// The shape with this number.
    pub fn get(&self, id: ShapeId) -> Option<&Shape> {
        self.list.get(index(id))?.as_ref().map(|(shape, _)| shape)
    }

    /// The shape of these names, one row more having it. A new one is made where there is none.
    pub fn take(&mut self, names: &[&str]) -> ShapeId {
        if self.get(self.last).is_some_and(|last| last.names().eq(names.iter().copied())) {
            self.take_again(self.last);
        } else {
            self.last = self.take_other(names);
        }
        self.last
    }

    fn take_other(&mut self, names: &[&str]) -> ShapeId {
        if let Some(&id) = self.by_joined.get(joined(names).as_slice()) {
            self.take_again(id);
            return id;
        }
        let shape = Shape::new(names);
        self.bytes = self.bytes.saturating_add(shape.bytes());
        self.pieces = self.pieces.saturating_add(shape.pieces());
        let joined = shape.joined.clone();
        let id = if let Some(id) = self.free.pop_first() {
            if let Some(place) = self.list.get_mut(index(id)) {
                *place = Some((shape, 1));
            }
            id
        } else {
            self.list.push(Some((shape, 1)));
            // A table has fewer rows, and so shapes, than this counts.
            ShapeId::try_from(self.list.len().saturating_sub(1)).unwrap_or(ShapeId::MAX)
        };
        self.by_joined.insert(joined, id);
        id
    }

    /// One row more has the shape.
    pub fn take_again(&mut self, id: ShapeId) {
        if let Some(Some((_, rows))) = self.list.get_mut(index(id)) {
            *rows = rows.saturating_add(1);
        }
    }

    /// One row less has the shape; it goes with the last.
    pub fn give_back(&mut self, id: ShapeId) {
        let Some(place) = self.list.get_mut(index(id)) else {
            return;
        };
        match place {
            Some((_, rows)) if *rows > 1 => *rows = rows.saturating_sub(1),
            Some((shape, _)) => {
                self.bytes = self.bytes.saturating_sub(shape.bytes());
                self.pieces = self.pieces.saturating_sub(shape.pieces());
                self.by_joined.remove(&shape.joined);
                *place = None;
                self.free.insert(id);
                self.fit();
            }
            None => {}
        }
    }

    /// Ends the list with the last place in use, and gives back the room that is not needed.
    fn fit(&mut self) {
        while let Some(None) = self.list.last() {
            self.list.pop();
            self.free.pop_last();
        }
        if self.list.capacity() > self.list.len().saturating_mul(4) {
            self.list.shrink_to(self.list.len().saturating_mul(2));
        }
        if self.by_joined.capacity() > self.by_joined.len().saturating_mul(4) {
            self.by_joined.shrink_to(self.by_joined.len().saturating_mul(2));
        }
    }

    /// How many places the list has, taken or free.
    pub fn places(&self) -> usize {
        self.list.len()
    }

    /// Has the list moved. (The index and the numbers that are free stay where they are: they offer no way to it.)
    pub fn defrag_list(&mut self, mover: &mut impl Mover) {
        mover.list(&mut self.list);
    }

    /// Has the pieces of the shape at this place moved, if there is one.
    pub fn defrag_shape(&mut self, place: usize, mover: &mut impl Mover) {
        if let Some(Some((shape, _))) = self.list.get_mut(place) {
            shape.defrag(mover);
        }
    }

    /// How many pieces of memory the shapes have.
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// The bytes of all shapes.
    pub fn bytes(&self) -> usize {
        let places = list_bytes(&self.list);
        // A set of numbers takes some three times their own bytes.
        let free = self.free.len().saturating_mul(size_of::<[ShapeId; 3]>());
        // The index has a byte more for each place, and is seven eighths full at most.
        let index =
            self.by_joined.capacity().saturating_mul(size_of::<(Box<[u8]>, ShapeId)>().saturating_add(1));
        let index = index.saturating_mul(8) / 7;
        self.bytes.saturating_add(places).saturating_add(free).saturating_add(index)
    }
}

fn index(id: ShapeId) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
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
        let a = shapes.take(&["styleId", "pricingId"]);
        let b = shapes.take(&["styleId", "pricingId"]);
        let other_order = shapes.take(&["pricingId", "styleId"]);
        let joined = shapes.take(&["styleIdpricingId"]);
        assert_eq!(a, b);
        assert_eq!(shapes.by_joined.len(), 3);
        assert!(a != other_order && a != joined && other_order != joined);
    }

    #[test]
    fn a_shape_goes_with_its_last_row_and_its_number_is_used_again() {
        let mut shapes = shapes();
        let a = shapes.take(&["a"]);
        shapes.take_again(a);
        shapes.give_back(a);
        assert!(shapes.get(a).is_some());
        shapes.give_back(a);
        assert!(shapes.get(a).is_none());
        assert_eq!(shapes.bytes, 0);
        shapes.give_back(a);
        let b = shapes.take(&["b"]);
        assert_eq!(a, b);
        assert_eq!(shapes.get(b).unwrap().names().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn the_room_of_many_shapes_is_given_back() {
        let mut shapes = shapes();
        let empty = shapes.bytes();
        let ids: Vec<_> = (0..1000).map(|id| shapes.take(&[id.to_string().as_str()])).collect();
        assert!(shapes.bytes() > empty && shapes.pieces() == 6000);
        ids.into_iter().for_each(|id| shapes.give_back(id));
        assert_eq!((shapes.bytes(), shapes.pieces()), (empty, 0));
    }

    #[test]
    fn shapes_that_come_and_go_take_no_more_room_than_those_that_stay() {
        let mut shapes = shapes();
        let take = |shapes: &mut Shapes, number: u32| shapes.take(&[number.to_string().as_str()]);
        let mut ids: std::collections::VecDeque<_> = (0..100).map(|id| take(&mut shapes, id)).collect();
        let (places, bytes) = (shapes.places(), shapes.bytes());
        for number in 100..20_000 {
            ids.push_back(take(&mut shapes, number));
            ids.pop_front().into_iter().for_each(|id| shapes.give_back(id));
            assert!(shapes.places() <= places + 1, "{number}: {} places", shapes.places());
        }
        assert!(shapes.bytes() < bytes * 2, "{} bytes, {bytes} at first", shapes.bytes());
        // After a rush the list ends earlier again, as numbers are given out from the lowest on.
        let rush: Vec<_> = (20_000..30_000).map(|number| take(&mut shapes, number)).collect();
        assert!(shapes.places() == 10_100 && shapes.bytes() > bytes * 50);
        rush.into_iter().for_each(|id| shapes.give_back(id));
        assert!(shapes.places() <= places + 1 && shapes.bytes() < bytes * 2, "{} bytes", shapes.bytes());
    }

    #[test]
    fn json_around_values() {
        let mut shapes = shapes();
        let id = shapes.take(&["a", "b\"Ā"]);
        let json: Vec<_> = shapes
            .get(id)
            .unwrap()
            .openings()
            .map(|json| String::from_utf8(json.to_vec()).unwrap())
            .collect();
        assert_eq!(json, ["{\"a\":\"", "\",\"b\\\"Ā\":\""]);
    }
}
