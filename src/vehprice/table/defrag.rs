//! Defragmentation: a table's pieces of memory, handed out to be moved.

use super::Table;
use crate::vehprice::Mover;

impl Table {
    /// Hands the table's pieces of memory to `mover` until it is done, from this step on. Returns the step to go on from,
    /// `None` after the last.
    ///
    /// Steps are the lists of the table, each shape, each page. Writes between two calls may have some pieces left out.
    pub fn defrag(&mut self, from: usize, mover: &mut impl Mover) -> Option<usize> {
        let mut step = from;
        loop {
            self.defrag_step(step, mover)?;
            step = step.saturating_add(1);
            if mover.is_done() {
                return Some(step);
            }
        }
    }

    fn defrag_step(&mut self, step: usize, mover: &mut impl Mover) -> Option<()> {
        let Some(place) = step.checked_sub(1) else {
            mover.list(&mut self.directory);
            mover.list(&mut self.pages);
            mover.list(&mut self.draft);
            self.shapes.defrag_list(mover);
            return Some(());
        };
        match place.checked_sub(self.shapes.places()) {
            None => self.shapes.defrag_shape(place, mover),
            Some(page) => self.pages.get_mut(page)?.defrag(mover),
        }
        Some(())
    }
}
