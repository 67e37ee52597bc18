//! Defragmentation: a table's allocations, handed to a [`Relocator`].

use super::{Relocator, Table};

impl Table {
    /// Hands the table's allocations to `relocator` until it says to stop, from this step on. Returns the
    /// step to go on from, `None` after the last.
    ///
    /// Steps are the lists and the history of the table, each shape, each page. Writes between two calls may make it miss
    /// some allocations.
    pub fn defrag(&mut self, from: usize, relocator: &mut impl Relocator) -> Option<usize> {
        let mut step = from;
        loop {
            self.defrag_step(step, relocator)?;
            step += 1;
            if relocator.should_stop() {
                return Some(step);
            }
        }
    }

    fn defrag_step(&mut self, step: usize, relocator: &mut impl Relocator) -> Option<()> {
        let Some(place) = step.checked_sub(1) else {
            relocator.list(&mut self.directory);
            relocator.list(&mut self.pages);
            relocator.list(&mut self.draft);
            self.shapes.defrag_list(relocator);
            self.history = self.history.take().map(|history| history.defrag(relocator));
            return Some(());
        };
        match place.checked_sub(self.shapes.places()) {
            None => self.shapes.defrag_shape(place, relocator),
            Some(page) => self.pages.get_mut(page)?.defrag(relocator),
        }
        Some(())
    }
}
