//! The saved form of a table: what the decoder takes is what a plainer reader finds in the bytes, and nothing
//! else.

use std::collections::BTreeMap;

use quotelock_core::table::codec::{Decoder, encode};
use quotelock_core::table::{Expiry, Table};
use xxhash_rust::xxh3::Xxh3;

/// Id → expiry and fields in order.
type Rows = BTreeMap<Vec<u8>, (Option<i64>, Vec<(String, String)>)>;

/// The input as chunks, each after its length in two bytes. If the first byte is odd, a seal that is right
/// comes after them: no fuzzer finds a checksum.
pub(crate) fn decoder(input: &[u8]) {
    let Some((how, mut rest)) = input.split_first() else { return };
    let mut chunks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (chunk, after) = after.split_at(after.len().min(u16::from_le_bytes(*length).into()));
        chunks.push(chunk.to_vec());
        rest = after;
    }
    if how % 2 == 1 {
        chunks.push(seal(&chunks));
    }
    let expected = read(&chunks);
    let decoded = decode(&chunks);
    assert_eq!(decoded.as_ref().map(rows), expected, "{chunks:x?}");
    if let Some(table) = decoded {
        is_whole(&table, &expected.unwrap_or_default());
    }
}

fn decode(chunks: &[Vec<u8>]) -> Option<Table> {
    let mut decoder = Decoder::new([1, 2, 3, 4]);
    for chunk in chunks {
        decoder.take(chunk).ok()?;
    }
    decoder.finish(|| {}).ok()
}

fn rows(table: &Table) -> Rows {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().to_owned();
    let rows = table.iter(0).map(|row| {
        let fields = row.fields().map(|(name, value)| (name.to_owned(), text(value))).collect();
        (row.id().to_vec(), (row.expiry().unix_ms(), fields))
    });
    rows.collect()
}

/// Each row is found, and what is saved of the table loads as the same.
fn is_whole(table: &Table, expected: &Rows) {
    assert_eq!(table.len(0), expected.len());
    for (id, (expiry, _)) in expected {
        let expiry = expiry.map_or(Expiry::NEVER, Expiry::at);
        assert_eq!(table.get(id, 0).map(|row| row.expiry()), Some(expiry));
    }
    let mut saved = Vec::new();
    encode(table, 0, |chunk| saved.push(chunk.to_vec()));
    assert_eq!(decode(&saved).as_ref().map(rows).as_ref(), Some(expected));
}

fn seal(chunks: &[Vec<u8>]) -> Vec<u8> {
    let rows = chunks.iter().skip(1).map(|chunk| Reader(chunk).length().unwrap_or(0));
    let rows = rows.fold(0_u64, u64::saturating_add);
    let mut seal = vec![0];
    seal.extend_from_slice(&rows.to_le_bytes());
    seal.extend_from_slice(&checksum(chunks).to_le_bytes());
    seal
}

fn checksum(chunks: &[Vec<u8>]) -> u64 {
    let mut checksum = Xxh3::new();
    chunks.iter().for_each(|chunk| checksum.update(chunk));
    checksum.digest()
}

/// Reads all chunks as `src/vehprice/codec.rs` documents them.
fn read(chunks: &[Vec<u8>]) -> Option<Rows> {
    let (sealed, before) = chunks.split_last()?;
    let (shapes, of_rows) = before.split_first()?;
    let shapes = read_shapes(Reader(shapes))?;
    let mut rows = Rows::new();
    for chunk in of_rows {
        read_rows(Reader(chunk), &shapes, &mut rows)?;
    }
    // The seal begins with a length of 0, as no chunk of rows does.
    let mut end = Reader(sealed);
    let is_sealed = end.length()? == 0
        && end.number()? == u64::try_from(rows.len()).ok()?
        && end.number()? == checksum(before)
        && end.0.is_empty();
    is_sealed.then_some(rows)
}

fn read_shapes(mut chunk: Reader<'_>) -> Option<Vec<Vec<String>>> {
    let mut shapes = Vec::new();
    for _ in 0..chunk.length()? {
        let mut names = Vec::new();
        for _ in 0..Some(chunk.length()?).filter(|names| (1..=64).contains(names))? {
            let name = chunk.text(1, 256)?;
            (!names.contains(&name)).then(|| names.push(name))?;
        }
        (!shapes.contains(&names)).then(|| shapes.push(names))?;
    }
    chunk.0.is_empty().then_some(shapes)
}

const END_OF_9999_MS: i64 = 253_402_300_799_999;

fn read_rows(mut chunk: Reader<'_>, shapes: &[Vec<String>], rows: &mut Rows) -> Option<()> {
    for _ in 0..Some(chunk.length()?).filter(|rows| *rows > 0)? {
        let expiry = match chunk.number()?.cast_signed() {
            i64::MAX => None,
            ms => Some(ms).filter(|ms| (1..=END_OF_9999_MS).contains(ms)).map(Some)?,
        };
        let id = chunk.text(1, 256)?;
        let names = shapes.get(usize::try_from(chunk.length()?).ok()?)?;
        let fields = names.iter().map(|name| Some((name.clone(), chunk.text(0, 1 << 20)?)));
        let row = (expiry, fields.collect::<Option<_>>()?);
        rows.insert(id.into_bytes(), row).is_none().then_some(())?;
    }
    chunk.0.is_empty().then_some(())
}

/// What is left of a chunk.
struct Reader<'c>(&'c [u8]);

impl Reader<'_> {
    fn length(&mut self) -> Option<u64> {
        let end = self.0.iter().position(|byte| *byte < 0x80)?;
        let (digits, rest) = self.0.split_at(end + 1);
        self.0 = rest;
        // Not written longer than need be.
        (digits.len() == 1 || digits.last() != Some(&0)).then_some(())?;
        // The highest come last, and must not overflow.
        digits
            .iter()
            .rev()
            .try_fold(0_u64, |length, digit| length.checked_mul(0x80)?.checked_add(u64::from(digit & 0x7f)))
    }

    fn number(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }

    fn text(&mut self, min: usize, max: usize) -> Option<String> {
        let length = usize::try_from(self.length()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        (min..=max).contains(&length).then(|| String::from_utf8(text.to_vec()).ok())?
    }
}
