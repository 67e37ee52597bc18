//! What has changed in a table since a revision, so that a copy of it can be kept up to date.
//!
//! Each page knows when it was last written to. Rows that went are remembered by id, and so are those that were
//! written with an earlier expiry than they had: a copy can't tell from the rows that are there that they expire
//! sooner. An expired row needs no mention: a copy knows when it expires.

use std::collections::{HashSet, VecDeque};
use std::{fmt, mem};

use super::memory::size_class;
use super::page::Page;
use super::{Relocator, Row, Table};

/// A state of a table. Opaque to callers: it goes out as a text and comes back so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Random, and another wherever the history before can't be followed.
    history: u64,
    /// Grows with each row that is written or deleted.
    count: u64,
}

impl Revision {
    /// The text of having nothing yet.
    pub const NONE: &str = "0";

    /// Reads a revision; `Some(None)` for [`Self::NONE`].
    pub fn parse(text: &[u8]) -> Option<Option<Self>> {
        if text == Self::NONE.as_bytes() {
            return Some(None);
        }
        // One text for each: as many hex digits as there are, and no zeros before the count.
        let (history, rest) = text.split_at_checked(HEX_DIGITS)?;
        let count = rest.strip_prefix(b"-")?;
        if count.is_empty() || count.starts_with(b"0") && count.len() > 1 {
            return None;
        }
        let history = history.iter().try_fold(0, |number: u64, byte| match byte {
            b'0'..=b'9' => Some(number << 4 | u64::from(byte - b'0')),
            b'a'..=b'f' => Some(number << 4 | u64::from(byte - b'a' + 10)),
            _ => None,
        })?;
        let count = count.iter().try_fold(0, |number: u64, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        })?;
        Some(Some(Self { history, count }))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0HEX_DIGITS$x}-{}", self.history, self.count)
    }
}

/// Those of a history's number.
const HEX_DIGITS: usize = 16;

/// What to do to a copy of a table to have it as it is now.
#[derive(Debug)]
pub struct Changes<'t> {
    /// The table's revision now.
    pub revision: Revision,
    /// Forget what you have.
    pub is_whole: bool,
    /// Live rows that were stored since, and some that were there already.
    pub rows: Vec<Row<'t>>,
    /// Ids of rows that are not there any more.
    pub deleted: Vec<&'t [u8]>,
}

/// What a table remembers once it was asked for changes.
#[derive(Clone, Debug)]
pub(super) struct History {
    id: u64,
    /// What happened before is not known.
    begin: u64,
    /// Ids of rows that went, or got an earlier expiry, each with the count it happened at.
    gone: VecDeque<(u64, Box<[u8]>)>,
    gone_bytes: usize,
    /// What their allocations take.
    gone_allocated: usize,
    /// The latest time by which rows were told or swept: were the clock to go back behind it, rows that counted as
    /// expired would live again.
    latest_ms: i64,
}

/// How many ids are remembered, and how many bytes of them.
const MAX_GONE: usize = 1024;
const MAX_GONE_BYTES: usize = 64 * 1024;

impl History {
    fn new(id: u64, begin: u64) -> Self {
        Self { id, begin, gone: VecDeque::new(), gone_bytes: 0, gone_allocated: 0, latest_ms: i64::MIN }
    }

    fn add_gone(&mut self, count: u64, id: &[u8]) {
        self.gone.push_back((count, id.into()));
        self.gone_bytes += id.len();
        self.gone_allocated += size_class(id.len());
        while self.gone.len() > MAX_GONE || self.gone_bytes > MAX_GONE_BYTES {
            let Some((count, id)) = self.gone.pop_front() else { break };
            self.gone_bytes -= id.len();
            self.gone_allocated -= size_class(id.len());
            self.begin = count;
        }
    }

    /// Hands its allocations to `relocator`.
    pub(super) fn defrag(self: Box<Self>, relocator: &mut impl Relocator) -> Box<Self> {
        let mut history = relocator.boxed(self);
        let mut gone = Vec::from(mem::take(&mut history.gone));
        relocator.list(&mut gone);
        gone.iter_mut().for_each(|(_, id)| relocator.slice(id));
        history.gone = gone.into();
        history
    }

    /// The bytes it takes besides itself.
    pub(super) fn bytes(&self) -> usize {
        size_class(self.gone.capacity() * size_of::<(u64, Box<[u8]>)>()) + self.gone_allocated
    }
}

impl Table {
    /// The table's revision. `new_history` gives a random number where no history can be followed.
    pub fn revision(&mut self, now_ms: i64, new_history: impl FnOnce() -> u64) -> Revision {
        let mut history = match self.history.take() {
            Some(history) if history.latest_ms <= now_ms => history,
            _ => Box::new(History::new(new_history(), self.count)),
        };
        history.latest_ms = now_ms;
        let revision = Revision { history: history.id, count: self.count };
        self.history = Some(history);
        revision
    }

    /// What has changed since a revision; `None`: since ever.
    pub fn changes(
        &mut self,
        since: Option<Revision>,
        now_ms: i64,
        new_history: impl FnOnce() -> u64,
    ) -> Changes<'_> {
        let revision = self.revision(now_ms, new_history);
        let known = since.filter(|since| {
            since.history == revision.history
                && since.count <= revision.count
                && self.history.as_ref().is_some_and(|history| history.begin <= since.count)
        });
        let Some(since) = known else {
            return Changes {
                revision,
                is_whole: true,
                rows: self.iter(now_ms).collect(),
                deleted: Vec::new(),
            };
        };
        let changed = |page: &&Page| page.count > since.count;
        let (mut rows, mut deleted) = (Vec::new(), Vec::new());
        if since.count < revision.count {
            let bytes = self.pages.iter().filter(changed).flat_map(Page::iter);
            rows.extend(bytes.filter_map(|row| self.live(row, now_ms)));
            let gone = self.history.iter().flat_map(|history| &history.gone);
            let mut told = HashSet::new();
            deleted.extend(
                gone.filter(|(count, _)| *count > since.count)
                    .map(|(_, id)| &**id)
                    .filter(|id| self.get(id, now_ms).is_none() && told.insert(*id)),
            );
        }
        Changes { revision, is_whole: false, rows, deleted }
    }

    /// Counts a row that is written or deleted, and says how many these were.
    #[inline]
    pub(super) fn next_count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Notes that a row went, or that it expires earlier.
    #[inline]
    pub(super) fn note_gone(&mut self, count: u64, id: &[u8]) {
        if let Some(history) = &mut self.history {
            history.add_gone(count, id);
        }
    }

    /// Notes that rows were swept.
    pub(super) fn note_swept(&mut self, now_ms: i64) {
        if let Some(history) = &mut self.history {
            history.latest_ms = history.latest_ms.max(now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Expiry;
    use super::super::tests::Elsewhere;
    use super::*;

    #[test]
    fn revisions_have_one_text_each() {
        let revision = Revision { history: 0xab, count: 7 };
        assert_eq!(revision.to_string(), "00000000000000ab-7");
        assert_eq!(Revision::parse(b"00000000000000ab-7"), Some(Some(revision)));
        assert_eq!(Revision::parse(b"0"), Some(None));
        for text in [
            "",
            "00",
            "-",
            "1",
            "ab-7",
            "00000000000000AB-7",
            "00000000000000ab-07",
            "00000000000000ab-+7",
            "00000000000000ab-7 ",
        ] {
            assert_eq!(Revision::parse(text.as_bytes()), None, "{text}");
        }
    }

    /// A copy of a table, kept up to date by what changes.
    #[derive(Default)]
    struct Copy {
        revision: Option<Revision>,
        rows: BTreeMap<Vec<u8>, (Expiry, String)>,
        whole: usize,
    }

    impl Copy {
        fn update(&mut self, table: &mut Table, now_ms: i64, random: u64) {
            let changes = table.changes(self.revision, now_ms, || random);
            if changes.is_whole {
                self.rows.clear();
                self.whole += 1;
            }
            for id in changes.deleted {
                self.rows.remove(id);
            }
            for row in changes.rows {
                self.rows.insert(row.id().to_vec(), content(&row));
            }
            self.revision = Some(changes.revision);
            let live: BTreeMap<_, _> =
                table.iter(now_ms).map(|row| (row.id().to_vec(), content(&row))).collect();
            let copied = self.rows.iter().filter(|(_, (expiry, _))| !expiry.is_expired(now_ms));
            let copied: BTreeMap<_, _> = copied.map(|(id, row)| (id.clone(), row.clone())).collect();
            assert_eq!(copied, live);
        }
    }

    fn content(row: &Row<'_>) -> (Expiry, String) {
        (
            row.expiry(),
            row.fields().map(|(name, value)| format!("{name}={};", value.escape_ascii())).collect(),
        )
    }

    fn put(table: &mut Table, id: u32, value: &str, expiry: Expiry) {
        table.put(id.to_string().as_bytes(), &["a"], [value].into_iter(), expiry);
    }

    #[test]
    fn what_did_not_change_is_not_told() {
        let mut table = Table::new([1, 2, 3, 4]);
        (0..1000).for_each(|id| put(&mut table, id, "x", Expiry::NEVER));
        let mut copy = Copy::default();
        copy.update(&mut table, 0, 5);
        let changes = table.changes(copy.revision, 0, || 6);
        assert_eq!((changes.is_whole, changes.rows.len(), changes.deleted.len()), (false, 0, 0));
        assert_eq!(Some(changes.revision), copy.revision);
        put(&mut table, 7, "y", Expiry::NEVER);
        table.remove(b"8", 0);
        let changes = table.changes(copy.revision, 0, || 6);
        // Of the page that was written to all rows are told, and of no other.
        assert!(!changes.is_whole && (1..=32).contains(&changes.rows.len()));
        assert_eq!(changes.deleted, [b"8"]);
        copy.update(&mut table, 0, 6);
        assert_eq!(copy.whole, 1);
    }

    #[test]
    fn what_can_not_be_followed_is_told_whole() {
        let mut table = Table::new([1, 2, 3, 4]);
        (0..2000).for_each(|id| put(&mut table, id, "x", Expiry::NEVER));
        let ask = |table: &mut Table, since| {
            let changes = table.changes(since, 0, || 7);
            (changes.is_whole, changes.rows.len(), Some(changes.revision))
        };
        let (whole, rows, first) = ask(&mut table, None);
        assert!(whole && rows == 2000);
        // As many deletions as are remembered, and one more.
        (0..1024).for_each(|id: u32| assert!(table.remove(id.to_string().as_bytes(), 0)));
        assert!(!ask(&mut table, first).0);
        table.remove(b"1999", 0);
        assert!(ask(&mut table, first).0);
        let (_, _, second) = ask(&mut table, None);
        assert!(!ask(&mut table, second).0);
        // A revision of another table, of another server, or from the future.
        let Some(Revision { history, count }) = second else { panic!() };
        for other in [Revision { history: history + 1, count }, Revision { history, count: count + 1 }] {
            assert!(ask(&mut table, Some(other)).0);
        }
        table.mark_relocated();
        let changes = table.changes(second, 0, || 8);
        assert!(changes.is_whole && changes.revision.history == 8);
    }

    #[test]
    fn long_ids_are_forgotten_sooner() {
        let mut table = Table::new([1, 2, 3, 4]);
        let id = |index: usize| format!("{index:0>256}");
        (0..300).for_each(|index| table.put(id(index).as_bytes(), &["a"], ["x"].into_iter(), Expiry::NEVER));
        let before = table.bytes();
        let since = Some(table.changes(None, 0, || 1).revision);
        (0..256).for_each(|index| assert!(table.remove(id(index).as_bytes(), 0)));
        assert!(!table.changes(since, 0, || 1).is_whole);
        assert!(table.remove(id(256).as_bytes(), 0));
        assert!(table.changes(since, 0, || 1).is_whole);
        assert!(table.bytes() < before + 2 * MAX_GONE_BYTES);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put(u32, u8, i64),
        Remove(u32),
        Sweep,
        Turn(i64),
        Ask(usize),
        Relocate,
        Defrag,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0_u32..60, any::<u8>(), 0_i64..400).prop_map(|(id, value, at)| Step::Put(id, value, at)),
            4 => (0_u32..60).prop_map(Step::Remove),
            1 => Just(Step::Sweep),
            2 => (-60_i64..100).prop_map(Step::Turn),
            6 => (0_usize..2).prop_map(Step::Ask),
            1 => Just(Step::Relocate),
            1 => Just(Step::Defrag),
        ]
    }

    proptest! {
        /// The clock goes back too, and rows get earlier expiries than they had.
        #[test]
        fn a_copy_is_the_table(steps in proptest::collection::vec(step(), 1..200)) {
            let mut table = Table::new([1, 2, 3, 4]);
            let mut copies = [Copy::default(), Copy::default()];
            let (mut now_ms, mut random) = (100, 0);
            for step in steps {
                random += 1;
                match step {
                    Step::Put(id, value, at) => {
                        let expiry = if at > 350 { Expiry::NEVER } else { Expiry::at(at) };
                        put(&mut table, id, &value.to_string(), expiry);
                    }
                    Step::Remove(id) => {
                        table.remove(id.to_string().as_bytes(), now_ms);
                    }
                    Step::Sweep => {
                        table.sweep(now_ms, 0, 2, usize::MAX);
                    }
                    Step::Turn(ms) => now_ms += ms,
                    Step::Ask(copy) => copies[copy].update(&mut table, now_ms, random),
                    Step::Relocate => table.mark_relocated(),
                    Step::Defrag => assert_eq!(table.defrag(0, &mut Elsewhere { steps: usize::MAX }), None),
                }
            }
            copies.iter_mut().for_each(|copy| copy.update(&mut table, now_ms, random + 1));
        }
    }
}
