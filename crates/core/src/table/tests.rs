//! The table against a plain model: the same commands, the same answers, at every time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::codec::{DecodeError, Decoder, encode};
use super::{Expiry, ExpiryPolicy, Relocator, Row, Swept, Table, WritePolicy};

type Fields = Vec<(String, String)>;

/// A table so plain that it can't be wrong.
#[derive(Default)]
struct Model(BTreeMap<Vec<u8>, (Expiry, Fields)>);

impl Model {
    fn live(&self, now_ms: i64) -> BTreeMap<Vec<u8>, (Expiry, Fields)> {
        let rows = self.0.iter().filter(|(_, (expiry, _))| !expiry.is_expired(now_ms));
        rows.map(|(id, row)| (id.clone(), row.clone())).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put { id: u32, fields: u8, value: String, expiry: Expiry },
    PutEach { ids: Vec<u32>, value: String, expiry: Expiry },
    Remove { id: u32 },
    Sweep { pages: usize },
    Wait { ms: i64 },
    Defrag { from: usize },
}

fn any_step(ids: u32) -> impl Strategy<Value = Step> {
    let expiry = prop_oneof![1 => Just(Expiry::NEVER), 4 => (0..2000_i64).prop_map(Expiry::at)];
    let value = prop_oneof![20 => "[a-z0-9]{0,6}", 2 => "\\PC{0,8}", 1 => "[a-z]{400,700}"];
    prop_oneof![
        8 => (0..ids, 1..4_u8, value.clone(), expiry.clone())
            .prop_map(|(id, fields, value, expiry)| Step::Put { id, fields, value, expiry }),
        1 => (vec(0..ids, 1..=Table::LOOKUP_BATCH), value, expiry)
            .prop_map(|(ids, value, expiry)| Step::PutEach { ids, value, expiry }),
        3 => (0..ids).prop_map(|id| Step::Remove { id }),
        1 => (0..5_usize).prop_map(|pages| Step::Sweep { pages }),
        1 => (0..40_i64).prop_map(|ms| Step::Wait { ms }),
        1 => (0..10_usize).prop_map(|from| Step::Defrag { from }),
    ]
}

/// Moves every piece, as many steps as it is told.
pub(super) struct Elsewhere {
    pub(super) steps: usize,
}

impl Relocator for Elsewhere {
    fn list<T>(&mut self, list: &mut Vec<T>) {
        let mut moved = Vec::with_capacity(list.capacity());
        moved.append(list);
        *list = moved;
    }

    fn slice<T>(&mut self, slice: &mut Box<[T]>) {
        let mut list = std::mem::take(slice).into_vec();
        self.list(&mut list);
        *slice = list.into_boxed_slice();
    }

    fn boxed<T>(&mut self, value: Box<T>) -> Box<T> {
        Box::new(*value)
    }

    fn text(&mut self, text: &mut Box<str>) {
        *text = text.clone();
    }

    fn should_stop(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps == 0
    }
}

fn id_text(id: u32) -> Vec<u8> {
    // Some ids are long.
    let long = || vec![b'x'; 256 - usize::try_from(id / 97 % 9).unwrap()];
    if id.is_multiple_of(97) { long() } else { id.to_string().into_bytes() }
}

fn content(row: &Row<'_>) -> (Vec<u8>, (Expiry, Fields)) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let fields = row.fields().map(|(name, value)| (name.to_owned(), text(value))).collect();
    (row.id().to_vec(), (row.expiry(), fields))
}

fn put(table: &mut Table, id: &[u8], fields: &Fields, expiry: Expiry) {
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    table.put(id, &names, fields.iter().map(|(_, value)| value.as_str()), expiry);
}

/// Writes rows whose hints are all looked up before the first is written, as `VEHPRICE.MSET` does: an id that
/// is there twice, and a page that is split, make those of the others stale.
fn put_each(table: &mut Table, ids: &[Vec<u8>], value: &str, expiry: Expiry, now_ms: i64) {
    let hashes: Vec<_> = ids.iter().map(|id| table.hash(id)).collect();
    let policy = WritePolicy { condition: None, merge: false, expiry: ExpiryPolicy::Set(expiry) };
    let lists = [vec!["f0"]];
    let mut writer = table.writer(&lists, policy);
    let hints = writer.slot_hints(&hashes);
    for (id, hint) in ids.iter().zip(hints) {
        writer.write(id, hint, 0, &[value.as_bytes()], now_ms);
    }
}

fn all_by_scan(table: &Table, count: usize, now_ms: i64) -> Vec<(Vec<u8>, (Expiry, Fields))> {
    let (mut rows, mut cursor) = (Vec::new(), 0);
    loop {
        cursor = table.scan(cursor, count, now_ms, |row| rows.push(content(&row)));
        if cursor == 0 {
            return rows;
        }
    }
}

fn check(table: &mut Table, model: &Model, now_ms: i64) {
    let live = model.live(now_ms);
    assert_eq!(table.len(now_ms), live.len());
    assert_eq!(table.bytes(), table.count_bytes());
    assert_eq!(table.held_rows(), table.iter(i64::MIN).count());
    let copy = table.copy();
    assert_eq!(copy.bytes(), copy.count_bytes());
    assert_eq!(table.iter(now_ms).map(|row| content(&row)).collect::<BTreeMap<_, _>>(), live);
    let scanned = all_by_scan(table, 10, now_ms);
    assert_eq!(scanned.len(), live.len());
    assert_eq!(scanned.into_iter().collect::<BTreeMap<_, _>>(), live);
    let latest = live.values().map(|(expiry, _)| *expiry).max();
    if latest.is_some() {
        assert_eq!(table.max_expiry(), latest);
    }
    let mut found = Vec::new();
    let ids: Vec<_> = (0..300).map(id_text).collect();
    table.get_each(ids.iter().map(Vec::as_slice), now_ms, |row| found.push(row.map(|row| content(&row).1)));
    assert_eq!(found.len(), ids.len());
    for (id, found) in ids.iter().zip(found) {
        assert_eq!(found.as_ref(), live.get(id));
        assert_eq!(table.get(id, now_ms).map(|row| content(&row).1), found);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_table_does_what_the_model_does(
        seed: [u64; 4], expected in 0_usize..2000, steps in vec(any_step(300), 0..1500)
    ) {
        let (mut table, mut model, mut now_ms) = (Table::new(seed), Model::default(), 0);
        table.make_pages_for(expected);
        for (count, step) in steps.into_iter().enumerate() {
            match step {
                Step::Put { id, fields, value, expiry } => {
                    let id = id_text(id);
                    let fields = (0..fields).map(|field| (format!("f{field}"), format!("{value}{field}"))).collect();
                    put(&mut table, &id, &fields, expiry);
                    model.0.insert(id, (expiry, fields));
                }
                Step::PutEach { ids, value, expiry } => {
                    let ids: Vec<_> = ids.into_iter().map(id_text).collect();
                    put_each(&mut table, &ids, &value, expiry, now_ms);
                    for id in ids {
                        if expiry.is_expired(now_ms) {
                            model.0.remove(&id);
                        } else {
                            model.0.insert(id, (expiry, vec![("f0".to_owned(), value.clone())]));
                        }
                    }
                }
                Step::Remove { id } => {
                    let id = id_text(id);
                    let was_live = model.0.remove(&id).is_some_and(|(expiry, _)| !expiry.is_expired(now_ms));
                    prop_assert_eq!(table.remove(&id, now_ms), was_live);
                }
                Step::Sweep { pages } => { table.sweep(now_ms, 0, pages, 500); }
                Step::Wait { ms } => now_ms += ms,
                Step::Defrag { from } => {
                    let bytes = table.bytes();
                    table.defrag(from, &mut Elsewhere { steps: 20 });
                    prop_assert_eq!((table.bytes(), table.count_bytes()), (bytes, bytes));
                }
            }
            if count % 200 == 0 {
                check(&mut table, &model, now_ms);
            }
        }
        check(&mut table, &model, now_ms);
        // When all is swept, nothing is left of what expired.
        while table.sweep(now_ms, 0, 3, 1000).is_some() {}
        check(&mut table, &model, now_ms);
        prop_assert_eq!(table.len(i64::MIN), model.live(now_ms).len());
    }

    #[test]
    fn a_scan_misses_no_row_that_stays(
        seed: [u64; 4], stay in 1..400_u32, before in 0..3000_u32, count in 1..100_usize, grow: bool,
    ) {
        let mut table = Table::new(seed);
        let fields = vec![("f".to_owned(), "v".to_owned())];
        let come = |table: &mut Table, id: u32| put(table, &id.to_be_bytes(), &fields, Expiry::NEVER);
        for id in 0..stay {
            come(&mut table, id);
        }
        let (mut next, end) = if grow { (1_000_000, 1_000_000 + before) } else { (1_000_000, 1_000_000) };
        if !grow {
            for id in 0..before {
                come(&mut table, 1_000_000 + id);
            }
        }
        let (mut seen, mut cursor, mut gone) = (Vec::new(), 0, 0);
        loop {
            cursor = table.scan(cursor, count, 0, |row| seen.push(row.id().to_vec()));
            for _ in 0..100 {
                if next < end {
                    come(&mut table, next);
                    next += 1;
                }
                if !grow && gone < before {
                    table.remove(&(1_000_000 + gone).to_be_bytes(), 0);
                    gone += 1;
                }
            }
            if cursor == 0 {
                break;
            }
        }
        let unique: BTreeSet<_> = seen.iter().cloned().collect();
        prop_assert_eq!(unique.len(), seen.len());
        for id in 0..stay {
            prop_assert!(unique.contains(id.to_be_bytes().as_slice()));
        }
    }
}

#[test]
fn a_page_grows_where_keys_are_alike() {
    let mut table = Table::new([1, 2, 3, 4]);
    let ids = (0_u32..).map(|id| id.to_string());
    let alike: Vec<String> = ids.filter(|id| table.hash(id.as_bytes()).bits() >> 16 == 7).take(50).collect();
    let fields = vec![("a".to_owned(), "1".to_owned())];
    for id in &alike {
        put(&mut table, id.as_bytes(), &fields, Expiry::at(1000));
    }
    assert_eq!(table.len(0), alike.len());
    assert!(table.bytes() < 1 << 20, "{} bytes", table.bytes());
    assert!(alike.iter().all(|id| table.get(id.as_bytes(), 0).is_some()));
    assert_eq!(all_by_scan(&table, 1, 0).len(), alike.len());
    assert!(alike.iter().all(|id| table.remove(id.as_bytes(), 0)));
    assert_eq!(table.len(0), 0);
}

#[test]
fn ids_with_the_same_hash_are_told_apart() {
    let mut table = Table::new([1, 2, 3, 4]);
    let mut by_hash = std::collections::HashMap::new();
    let pair = (0..1_000_000_u32).find_map(|number| {
        let id = number.to_string();
        let other = by_hash.insert(table.hash(id.as_bytes()).bits(), id.clone())?;
        Some([other, id])
    });
    let pair = pair.expect("among a million ids some hundred pairs have the same hash");
    let ids: Vec<Vec<u8>> = pair.iter().map(|id| id.clone().into_bytes()).collect();
    let value = |row: Row<'_>| content(&row).1.1[0].1.clone();
    let values = |table: &Table| {
        let mut values = Vec::new();
        table.get_each(ids.iter().map(Vec::as_slice), 0, |row| values.push(row.map(value)));
        let one_by_one: Vec<_> = ids.iter().map(|id| table.get(id, 0).map(value)).collect();
        assert_eq!(values, one_by_one);
        values
    };
    let is = |value: &str| Some(value.to_owned());
    for (first, second) in [(0, 1), (1, 0)] {
        put_each(&mut table, &ids[first..=first], "a", Expiry::NEVER, 0);
        assert_eq!((&values(&table)[first], &values(&table)[second]), (&is("a"), &None));
        put_each(&mut table, &ids, "b", Expiry::NEVER, 0);
        assert_eq!(values(&table), [is("b"), is("b")]);
        put_each(&mut table, &ids[second..=second], "c", Expiry::NEVER, 0);
        assert_eq!((&values(&table)[first], &values(&table)[second]), (&is("b"), &is("c")));
        assert!(table.remove(&ids[first], 0));
        assert_eq!((&values(&table)[first], &values(&table)[second]), (&None, &is("c")));
        assert!(!table.remove(&ids[first], 0) && table.remove(&ids[second], 0));
        assert_eq!(values(&table), [None, None]);
    }
}

#[test]
fn a_table_gives_back_what_it_took() {
    for expected in [0, 100_000] {
        gives_back_what_it_took(expected);
    }
}

fn gives_back_what_it_took(expected: usize) {
    let mut table = Table::new([1, 2, 3, 4]);
    let fields = vec![("styleId".to_owned(), "12".to_owned()), ("pricingId".to_owned(), "571".to_owned())];
    let empty = table.bytes();
    table.make_pages_for(expected);
    for id in 0..100_000 {
        put(&mut table, &id_text(id), &fields, Expiry::at(1000));
    }
    let full = table.bytes();
    while table.sweep(1000, 0, 100, usize::MAX).is_some() {}
    assert_eq!(table.len(0), 0);
    let swept = table.bytes();
    println!("empty {empty}, full {full}, swept {swept}");
    assert!(swept < full / 20, "{swept} of {full}");
}

#[test]
fn a_step_of_the_sweep_is_bounded_in_bytes() {
    let mut table = Table::new([1, 2, 3, 4]);
    for id in 0..300 {
        let length = if id % 3 == 0 { 10_000 } else { 10 };
        let fields = vec![("f".to_owned(), "x".repeat(length))];
        put(&mut table, &id_text(id), &fields, Expiry::at(if id < 200 { 1000 } else { 2000 }));
    }
    let (mut rows, mut steps) = (300, 0);
    while let Some(swept) = table.sweep(1000, 0, 100, 25_000) {
        rows -= swept.rows;
        assert_eq!(table.len(i64::MIN), rows);
        steps += 1;
    }
    assert_eq!(rows, 100);
    // 67 long rows, three a step.
    assert!((23..30).contains(&steps), "{steps}");
    // A row longer than the bound is a group of its own.
    while let Some(swept) = table.sweep(2000, 0, 100, 1) {
        assert!(swept.rows <= 1);
    }
    assert_eq!(table.len(i64::MIN), 0);
}

fn chunks(table: &Table, now_ms: i64) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    encode(table, now_ms, |chunk| chunks.push(chunk.to_vec()));
    chunks
}

fn decode(chunks: &[Vec<u8>]) -> Result<Table, DecodeError> {
    let mut decoder = Decoder::new([5, 6, 7, 8]);
    for chunk in chunks {
        decoder.take(chunk)?;
    }
    decoder.finish(|| {})
}

fn rows(table: &Table, now_ms: i64) -> BTreeMap<Vec<u8>, (Expiry, Fields)> {
    table.iter(now_ms).map(|row| content(&row)).collect()
}

fn sample(rows: u32) -> Table {
    let mut table = Table::new([1, 2, 3, 4]);
    for id in 0..rows {
        let fields: Fields =
            (0..=id % 3).map(|field| (format!("f{field}"), format!("{id}é\"{field}"))).collect();
        let expiry = if id.is_multiple_of(5) { Expiry::NEVER } else { Expiry::at(1000 + i64::from(id)) };
        put(&mut table, &id_text(id + 1), &fields, expiry);
    }
    table
}

#[test]
fn what_is_saved_is_loaded() {
    for count in [0, 1, 100, 20_000] {
        let table = sample(count);
        let saved = chunks(&table, 0);
        assert_eq!(rows(&decode(&saved).unwrap(), 0), rows(&table, 0));
        // Only live rows are saved.
        let now_ms = 1000 + i64::from(count) / 2;
        assert_eq!(rows(&decode(&chunks(&table, now_ms)).unwrap(), 0), rows(&table, now_ms));
        assert!(saved.iter().all(|chunk| chunk.len() < 70_000));
    }
}

#[test]
fn damage_is_refused() {
    let saved = chunks(&sample(30), 0);
    for (index, chunk) in saved.iter().enumerate() {
        let damaged = |chunk: Vec<u8>| {
            let mut damaged = saved.clone();
            damaged[index] = chunk;
            decode(&damaged).is_err()
        };
        for byte in 0..chunk.len() {
            assert!(damaged(chunk[..byte].to_vec()), "chunk {index} cut at {byte}");
            for change in [0x01, 0x80, 0xff] {
                let mut changed = chunk.clone();
                changed[byte] ^= change;
                assert!(damaged(changed), "chunk {index}, byte {byte} changed by {change:x}");
            }
        }
        let mut longer = chunk.clone();
        longer.push(0);
        assert!(damaged(longer));
        let mut missing = saved.clone();
        missing.remove(index);
        assert!(decode(&missing).is_err());
        let mut twice = saved.clone();
        twice.insert(index, chunk.clone());
        assert!(decode(&twice).is_err());
    }
}

#[test]
fn sweeping_does_not_change_when_the_longest_lived_row_expires() {
    let mut table = Table::new([1, 2, 3, 4]);
    assert_eq!(table.max_expiry(), None);
    let fields = vec![("f".to_owned(), "v".to_owned())];
    put(&mut table, b"1", &fields, Expiry::at(1000));
    assert_eq!(table.sweep(2000, 0, 1, 1), Some(Swept { rows: 1, late_ms: 1000 }));
    assert_eq!(table.max_expiry(), Some(Expiry::at(1000)));
    // On a replica whose clock is ahead such a row still comes.
    put(&mut table, b"2", &fields, Expiry::at(900));
    assert_eq!(table.max_expiry(), Some(Expiry::at(1000)));
    put(&mut table, b"3", &fields, Expiry::at(3000));
    assert_eq!(table.max_expiry(), Some(Expiry::at(3000)));
    table.remove(b"2", 0);
    table.remove(b"3", 0);
    assert_eq!(table.max_expiry(), None);
}

#[test]
fn sweeping_leaves_pages_alone_whose_rows_were_renewed() {
    let mut table = Table::new([1, 2, 3, 4]);
    let fields = vec![("f".to_owned(), "x".to_owned())];
    for expiry in [1000, 5000] {
        (0..100).for_each(|id| put(&mut table, &id_text(id), &fields, Expiry::at(expiry)));
    }
    let places = |table: &Table| -> Vec<_> {
        (0..100).map(|id| table.get(&id_text(id), 0).unwrap().value(b"f").unwrap().as_ptr()).collect()
    };
    let before = places(&table);
    // What a round begun before the writes may have missed, the next one knows.
    let rounds: Vec<_> = (0..3).map(|_| table.sweep(1000, 0, usize::MAX, usize::MAX)).collect();
    assert_eq!(rounds, [Some(Swept::default()), Some(Swept::default()), None]);
    assert_eq!(places(&table), before);
    let mut swept = (0, 0);
    while let Some(Swept { rows, late_ms }) = table.sweep(5007, 0, usize::MAX, usize::MAX) {
        swept = (swept.0 + rows, swept.1 + late_ms);
    }
    assert_eq!(swept, (100, 700));
}

#[test]
fn a_row_that_expired_before_its_table_came_into_memory_is_late_from_then() {
    let fields = vec![("f".to_owned(), "v".to_owned())];
    for (expiry, late_ms) in [(1, 500), (1000, 500), (1200, 300)] {
        let mut table = Table::new([1, 2, 3, 4]);
        put(&mut table, b"1", &fields, Expiry::at(expiry));
        assert_eq!(table.sweep(1500, 1000, 1, 1), Some(Swept { rows: 1, late_ms }), "{expiry}");
    }
}
