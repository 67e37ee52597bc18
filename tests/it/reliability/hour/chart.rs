//! Lines over time, a panel for each figure.

use quotelock_testkit::Svg;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 700.0;
const FIRST: f64 = 100.0;
const HEIGHT: f64 = 120.0;
/// From one panel to the next.
const STEP: f64 = 180.0;
const COLOURS: [&str; 4] = ["#57606a", "#9a6700", "#0969da", "#1a7f37"];

/// A figure of several servers, at times with the same distance.
pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    pub(crate) series: Vec<(&'a str, Vec<f64>)>,
}

pub(crate) fn draw(title: &str, note: &str, minutes: f64, panels: &[Panel<'_>]) -> String {
    let mut svg = Svg::new(WIDTH, FIRST + STEP * panels.len() as f64, title);
    svg.text(20.0, 48.0, "note", note);
    for (place, panel) in panels.iter().enumerate() {
        let top = FIRST + STEP * place as f64;
        let bottom = top + HEIGHT;
        let all = || panel.series.iter().flat_map(|(_, values)| values.iter().copied());
        let unit = step_of(all().fold(0.0, f64::max));
        let steps = (all().fold(0.0, f64::max) / unit).ceil().max(1.0);
        let y = |value: f64| bottom - value / (steps * unit) * HEIGHT;
        svg.text(LEFT, top - 12.0, "", panel.title);
        for step in 0..=steps as u32 {
            let value = f64::from(step) * unit;
            svg.line("grid", &[(LEFT, y(value)), (RIGHT, y(value))]);
            svg.text(LEFT - 10.0, y(value) + 4.0, "end note", (value * 1000.0).round() / 1000.0);
        }
        for sixth in 0..=6 {
            let part = f64::from(sixth) / 6.0;
            let x = LEFT + part * (RIGHT - LEFT);
            let minute = (part * minutes * 10.0).round() / 10.0;
            svg.text(x, bottom + 18.0, "middle note", format!("{minute} min"));
        }
        for (place, ((name, values), colour)) in panel.series.iter().zip(COLOURS).enumerate() {
            let last = values.len().max(2) as f64 - 1.0;
            let x = |place: usize| LEFT + place as f64 / last * (RIGHT - LEFT);
            let points: Vec<_> = values.iter().enumerate().map(|(at, value)| (x(at), y(*value))).collect();
            svg.path("way", colour, &points);
            svg.coloured(RIGHT + 12.0, top + 12.0 + 18.0 * place as f64, colour, name);
        }
    }
    svg.finish()
}

/// A round distance of grid lines, at most four of which reach up to `max`, or a few more.
fn step_of(max: f64) -> f64 {
    let rough = (max / 4.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= rough).unwrap_or(power)
}
