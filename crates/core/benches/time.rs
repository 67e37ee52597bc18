//! Times what the core does most, by Criterion.

#[path = "cases/mod.rs"]
mod cases;

use cases::CASES;
use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for case in CASES {
        let mut run = (case.prepare)();
        let mut group = criterion.benchmark_group(case.unit);
        group.throughput(Throughput::Elements(case.units.into()));
        group.bench_function(case.name, |bencher| bencher.iter(&mut run));
        group.finish();
    }
    criterion.final_summary();
}
