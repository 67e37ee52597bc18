//! What a figure was in all rounds.

use std::array;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), min: at(0), max: at(last) }
    }

    /// One for each column; an item is a round.
    pub(crate) fn of_columns<const N: usize>(rounds: impl Iterator<Item = [f64; N]>) -> [Self; N] {
        let rounds: Vec<_> = rounds.collect();
        array::from_fn(|column| Self::of(rounds.iter().filter_map(|round| round.get(column).copied())))
    }

    /// Of the ratios of each round, as machines drift between rounds.
    pub(crate) fn of_ratios<const N: usize>(
        over: impl Iterator<Item = [f64; N]>,
        under: impl Iterator<Item = [f64; N]>,
    ) -> [Self; N] {
        Self::of_columns(over.zip(under).map(|(mut ratios, under)| {
            ratios.iter_mut().zip(under).for_each(|(ratio, under)| *ratio /= under);
            ratios
        }))
    }

    /// A figure that was taken once.
    pub(crate) fn once(figure: f64) -> Self {
        Self { median: figure, min: figure, max: figure }
    }

    pub(crate) fn show(&self, digits: usize) -> String {
        let show = |figure| with_commas(&format!("{figure:.digits$}"));
        let (median, min, max) = (show(self.median), show(self.min), show(self.max));
        if min == max { median } else { format!("{median} ({min} - {max})") }
    }
}

/// `1234567.8` as `1,234,567.8`.
pub(crate) fn with_commas(number: &str) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    let mut text = String::new();
    for (place, character) in number.chars().enumerate() {
        if place > 0 && place < whole && whole.saturating_sub(place) % 3 == 0 {
            text.push(',');
        }
        text.push(character);
    }
    text
}
