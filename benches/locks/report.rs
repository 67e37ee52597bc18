//! The figures as tables of plain text.

use super::common::benchmark::Sample;
use super::common::report::Spread;
use super::common::server::Outcome;
use super::{Case, GOALS, find};

pub(crate) fn print_samples(cases: &[Case]) {
    println!("\nmedian (least - most) of the rounds; busy: the server's share of one core");
    println!(
        "(well below 100 % it waited for its turn or for requests: then trust the CPU time, not the rate)"
    );
    println!("{:<28} {:<32} {:<28} busy", "case", "requests/s", "CPU ns a request");
    for case in cases {
        let spread = |figure: fn(&Sample) -> f64| Spread::of(case.samples.iter().map(figure));
        let rate = spread(|sample| sample.requests_per_second).show(0);
        let cpu = spread(|sample| sample.cpu_per_request).show(0);
        let busy = spread(|sample| sample.requests_per_second * sample.cpu_per_request / 1e9).median * 100.0;
        println!("{:<28} {rate:<32} {cpu:<28} {busy:.0} %", case.name);
    }
}

/// Each ratio is of two samples of one round: machines drift between rounds.
pub(crate) fn print_goals(cases: &[Case]) -> Outcome<()> {
    println!("\nspeed against another case, round by round: median (least - most)");
    println!("{:<42} {:<9} {:<31} by the server's CPU time", "goal", "at least", "by requests/s");
    for (name, rival, at_least) in GOALS {
        let (case, base) = (find(cases, name)?, find(cases, rival)?);
        let ratios = |ratio: fn(&Sample, &Sample) -> f64| {
            let spread =
                Spread::of(case.samples.iter().zip(&base.samples).map(|(case, base)| ratio(case, base)));
            let verdict = if spread.median >= at_least { "met" } else { "NOT MET" };
            format!("{} {verdict}", spread.show(2))
        };
        let by_rate = ratios(|case, base| case.requests_per_second / base.requests_per_second);
        let by_cpu = ratios(|case, base| base.cpu_per_request / case.cpu_per_request);
        println!("{:<42} {at_least:<9} {by_rate:<31} {by_cpu}", format!("{name} / {rival}"));
    }
    Ok(())
}
