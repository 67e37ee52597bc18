use super::Seconds;

/// Prices with their history. A change counts from a moment, and is seen later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Upstream {
    /// The moments of the changes that are seen, in order.
    seen: Vec<Seconds>,
    /// Those that are not yet.
    unseen: Vec<Seconds>,
}

impl Upstream {
    pub(super) fn changes(&self) -> usize {
        self.seen.len() + self.unseen.len()
    }

    pub(super) fn has_unseen(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// Whether each change will still be seen sooner than `commit` after its moment.
    pub(super) fn may_tick(&self, now: Seconds, commit: Seconds) -> bool {
        self.unseen.iter().all(|from| now + 1 < from + commit)
    }

    pub(super) fn change(&mut self, now: Seconds) {
        self.unseen.push(now);
    }

    pub(super) fn commit(&mut self) {
        self.seen.push(self.unseen.remove(0));
    }

    /// The price of a moment, as far as is seen: how many changes it has had.
    pub(super) fn price(&self, moment: Seconds) -> usize {
        self.seen.iter().filter(|from| **from <= moment).count()
    }
}
