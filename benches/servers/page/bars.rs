//! A bar for each row of a table.

use crate::common::sheet::Sheet;
use crate::common::spread::with_commas;
use quotelock_testkit::Svg;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 300.0;
/// The width of the longest bar; its figure follows it.
const MAX_BAR: f64 = 440.0;
const TOP: f64 = 64.0;
const STEP: f64 = 26.0;

/// The CSS class of a row.
fn class(name: &str) -> &'static str {
    if ["QUOTELOCK", "VEHPRICE", "VehPrice", "CLAIM"].iter().any(|ours| name.contains(ours)) {
        "ours"
    } else if name.contains("refused") {
        "floor"
    } else {
        "theirs"
    }
}

/// Draws one column, the best first within each group (`held: …`).
pub(crate) fn draw(title: &str, note: &str, sheet: &Sheet, column: usize, more_is_better: bool) -> String {
    let digits = sheet.columns.get(column).map_or(0, |column| column.digits.min(2));
    let mut rows: Vec<_> =
        sheet.rows.iter().filter_map(|row| Some((row.name.as_str(), *row.cells.get(column)?))).collect();
    let group = |name: &str| name.split_once(": ").map(|(group, _)| group.to_owned());
    rows.sort_by(|(name, one), (other_name, other)| {
        let by_figure = one.median.total_cmp(&other.median);
        group(name).cmp(&group(other_name)).then(if more_is_better { by_figure.reverse() } else { by_figure })
    });
    let max = rows.iter().map(|(_, spread)| spread.median).fold(f64::MIN_POSITIVE, f64::max);
    let count = f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    let mut svg = Svg::new(WIDTH, TOP + STEP * count + 14.0, title);
    svg.text(20.0, 48.0, "note", note);
    for (place, (name, spread)) in (0_u32..).zip(rows) {
        let y = TOP + STEP * f64::from(place);
        let scale = |figure: f64| MAX_BAR * (figure / max).min(1.12);
        let (class, end) = (class(name), LEFT + scale(spread.median));
        svg.text(LEFT - 8.0, y + 15.0, if class == "ours" { "ours end" } else { "end" }, name);
        svg.bar(LEFT, y + 2.0, scale(spread.median), 18.0, class);
        if spread.min < spread.max {
            let (min, max) = (LEFT + scale(spread.min), LEFT + scale(spread.max));
            svg.line("spread", &[(min, y + 11.0), (max, y + 11.0)]);
        }
        let figure = with_commas(&format!("{:.digits$}", spread.median));
        svg.text(
            end.max(LEFT + scale(spread.max)) + 8.0,
            y + 15.0,
            if class == "ours" { "ours" } else { "" },
            figure,
        );
    }
    svg.finish()
}
