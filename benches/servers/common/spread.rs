//! What a figure was in all rounds.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), least: at(0), most: at(last) }
    }

    /// A figure that was taken once.
    pub(crate) fn once(figure: f64) -> Self {
        Self { median: figure, least: figure, most: figure }
    }

    pub(crate) fn show(&self, digits: usize) -> String {
        let show = |figure| with_commas(&format!("{figure:.digits$}"));
        let (median, least, most) = (show(self.median), show(self.least), show(self.most));
        if least == most { median } else { format!("{median} ({least} - {most})") }
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
