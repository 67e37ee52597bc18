//! A line for each column of a table whose rows are sizes; both axes are logarithmic.

use crate::common::sheet::Sheet;
use crate::common::spread::with_commas;
use quotelock_testkit::Svg;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 370.0;
/// The minimum distance of two names.
const NAME_DISTANCE: f64 = 16.0;

/// Ours last, in green.
const COLOURS: [&str; 5] = ["#57606a", "#9a6700", "#0969da", "#8250df", "#1a7f37"];

/// A logarithmic scale from one coordinate to another.
struct Axis {
    min: f64,
    max: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// `whole`: extended to whole powers of ten.
    fn new(figures: impl Iterator<Item = f64>, from: f64, to: f64, whole: bool) -> Self {
        let (min, max) = figures
            .map(f64::log10)
            .fold((f64::MAX, f64::MIN), |(min, max), figure| (min.min(figure), max.max(figure)));
        let (min, max) = if whole { (min.floor(), max.ceil()) } else { (min, max) };
        Self { min, max: max.max(min + 0.1), from, to }
    }

    fn place(&self, figure: f64) -> f64 {
        self.from + (figure.log10() - self.min) / (self.max - self.min) * (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        let (min, max) = (self.min, self.max);
        (-6_i32..10)
            .map(f64::from)
            .filter(move |power| (min..=max).contains(power))
            .map(|power| 10_f64.powf(power))
    }
}

pub(crate) fn draw(title: &str, note: &str, sheet: &Sheet) -> String {
    let sizes: Vec<f64> = sheet.rows.iter().filter_map(|row| row.name.parse().ok()).collect();
    let column =
        |column: usize| sheet.rows.iter().map(move |row| row.cells.get(column).map(|cell| cell.median));
    let all = (0..sheet.columns.len()).flat_map(column).flatten();
    let x = Axis::new(sizes.iter().copied(), LEFT, RIGHT, false);
    let y = Axis::new(all, BOTTOM, TOP, true);

    let mut svg = Svg::new(WIDTH, HEIGHT, title);
    svg.text(20.0, 48.0, "note", note);
    for power in y.powers() {
        svg.line("grid", &[(LEFT, y.place(power)), (RIGHT, y.place(power))]);
        svg.text(LEFT - 10.0, y.place(power) + 4.0, "end note", with_commas(&power.to_string()));
    }
    for &size in &sizes {
        svg.line("grid", &[(x.place(size), TOP), (x.place(size), BOTTOM)]);
        svg.text(x.place(size), BOTTOM + 20.0, "middle note", with_commas(&size.to_string()));
    }
    svg.text(f64::midpoint(LEFT, RIGHT), BOTTOM + 40.0, "middle note", &sheet.row_head);

    let mut names = Vec::new();
    let last = sheet.columns.len().saturating_sub(1);
    for (place, head) in sheet.columns.iter().enumerate() {
        let ours = place == last;
        let colour = if ours { COLOURS.last() } else { COLOURS.get(place) }.copied().unwrap_or_default();
        let points: Vec<(f64, f64)> = sizes
            .iter()
            .zip(column(place))
            .filter_map(|(&size, figure)| Some((x.place(size), y.place(figure?))))
            .collect();
        svg.series(if ours { "way ours" } else { "way" }, colour, &points);
        if let Some(&(_, end)) = points.last() {
            names.push((end, colour, head.head.as_str()));
        }
    }
    names.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut free = f64::MIN;
    for (end, colour, name) in names {
        let place = end.max(free);
        svg.coloured(RIGHT + 12.0, place + 4.0, colour, name);
        free = place + NAME_DISTANCE;
    }
    svg.finish()
}
