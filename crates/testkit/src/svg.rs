//! A drawing of text, lines and boxes on a white card, which is legible on a dark page too.
//! Own, as plotters has no `<title>` for screen readers, no style classes, and rounds to whole pixels.

use std::fmt::Display;

const STYLE: &str = "\
    text { font-family: Helvetica, Arial, sans-serif; font-size: 12px; fill: #24292f }
    .title { font-size: 15px; font-weight: bold }
    .note { fill: #57606a }
    .end { text-anchor: end }
    .middle { text-anchor: middle }
    .ours { fill: #1a7f37; stroke: #1a7f37 }
    .theirs { fill: #8c959f; stroke: #8c959f }
    .floor { fill: #d0d7de; stroke: #d0d7de }
    text.ours { font-weight: bold; stroke: none }
    .spread { stroke: #24292f; stroke-width: 1.5 }
    .grid { stroke: #eaeef2 }
    .way { fill: none; stroke-width: 2 }
    .way.ours { stroke-width: 3 }
";

pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    marks: String,
}

impl Svg {
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self { width, height, title: escaped(title), marks: String::new() };
        svg.text(20.0, 30.0, "title", title);
        svg
    }

    pub fn text(&mut self, x: f64, y: f64, class: &str, text: impl Display) {
        let text = escaped(&text.to_string());
        self.mark(&format!(r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#));
    }

    pub fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        self.mark(&format!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}"/>"#,
            width.max(1.0)
        ));
    }

    pub fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        self.mark(&format!(r#"<polyline class="{class}" points="{}"/>"#, joined(points)));
    }

    /// A coloured line.
    pub fn path(&mut self, class: &str, colour: &str, points: &[(f64, f64)]) {
        let line = joined(points);
        self.mark(&format!(r#"<polyline class="{class}" style="stroke: {colour}" points="{line}"/>"#));
    }

    /// A coloured line with a dot at each point.
    pub fn series(&mut self, class: &str, colour: &str, points: &[(f64, f64)]) {
        self.path(class, colour, points);
        for (x, y) in points {
            self.mark(&format!(r#"<circle style="fill: {colour}" cx="{x:.1}" cy="{y:.1}" r="3"/>"#));
        }
    }

    pub fn coloured(&mut self, x: f64, y: f64, colour: &str, text: &str) {
        let text = escaped(text);
        self.mark(&format!(
            r#"<text style="fill: {colour}; font-weight: bold" x="{x:.1}" y="{y:.1}">{text}</text>"#
        ));
    }

    fn mark(&mut self, mark: &str) {
        self.marks.push_str("  ");
        self.marks.push_str(mark);
        self.marks.push('\n');
    }

    pub fn finish(self) -> String {
        let Self { width, height, title, marks } = self;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title">
  <title id="title">{title}</title>
  <style>
{STYLE}  </style>
  <rect x="0.5" y="0.5" width="{}" height="{}" rx="8" fill="#ffffff" stroke="#d0d7de"/>
{marks}</svg>
"##,
            width - 1.0,
            height - 1.0
        )
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
