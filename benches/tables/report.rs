//! Figures and goals as tables of plain text.

use super::case::{Case, Sample, find};
use super::common::report::Spread;

#[derive(Clone, Copy)]
pub(crate) enum Wants {
    AtLeast(f64),
    AtMost(f64),
    /// As near to 1 as that.
    Near(f64),
    /// It is only told.
    Nothing,
}

/// The time of the first case over the time of the second.
pub(crate) struct Goal(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Wants);

impl Wants {
    fn show(self) -> String {
        match self {
            Self::AtLeast(bound) => format!(">= {bound}"),
            Self::AtMost(bound) => format!("<= {bound}"),
            Self::Near(bound) => format!("1 +- {bound}"),
            Self::Nothing => String::new(),
        }
    }

    fn verdict(self, figure: f64) -> &'static str {
        let met = match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
            Self::Near(bound) => (figure - 1.0).abs() <= bound,
            Self::Nothing => return "",
        };
        if met { "met" } else { "NOT MET" }
    }
}

pub(crate) fn print_cases(cases: &[Case]) {
    println!("{:<40} {:<25} {:<25} reply", "median (least - most)", "wall ms at the client", "server CPU ms");
    for case in cases {
        let wall = case.spread(|sample| sample.wall).show(3);
        let cpu = case.spread(|sample| sample.cpu).show(3);
        println!("{:<40} {wall:<25} {cpu:<25} {:>7} bytes", case.name, case.length());
    }
}

/// The heads of what [`print_goal`] prints.
pub(crate) fn print_goal_heads(first: &str, second: &str) {
    println!("\n{:<60} {:<9} {first:<30} {second}", "goal", "wants");
}

/// Each ratio is of two samples of one round: machines drift between rounds.
pub(crate) fn print_ratios(cases: &[Case], goals: &[Goal]) {
    print_goal_heads("by wall time", "by server CPU");
    for Goal(over, under, wants) in goals {
        let name = format!("{over} / {under}");
        let (Some(over), Some(under)) = (find(cases, over), find(cases, under)) else {
            println!("{name:<60} {:<9} this server lacks one of the two", wants.show());
            continue;
        };
        let pairs = || over.samples.iter().zip(&under.samples);
        let wall = Spread::of(pairs().map(|(over, under)| over.wall / under.wall));
        let cpu = Spread::of(pairs().map(|(over, under)| over.cpu / under.cpu));
        print_goal(&name, *wants, &wall, Some(&cpu), 2);
    }
}

/// A case that must not take longer than so many milliseconds.
pub(crate) fn print_limit(case: &Case, milliseconds: f64) {
    let spread = |figure: fn(&Sample) -> f64| case.spread(figure);
    let (wall, cpu) = (spread(|sample| sample.wall), spread(|sample| sample.cpu));
    let name = format!("{}, ms", case.name);
    print_goal(&name, Wants::AtMost(milliseconds), &wall, Some(&cpu), 3);
}

pub(crate) fn print_goal(name: &str, wants: Wants, first: &Spread, second: Option<&Spread>, digits: usize) {
    let judged = |spread: &Spread| format!("{} {}", spread.show(digits), wants.verdict(spread.median));
    println!(
        "{name:<60} {:<9} {:<30} {}",
        wants.show(),
        judged(first),
        second.map_or_else(String::new, judged)
    );
}
