//! Times the plain-Rust core by Criterion: `cargo bench --bench core`.

#[path = "core/mod.rs"]
mod cases;

use std::hint::black_box;

use cases::CASES;
use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for case in CASES {
        let mut run = (case.prepare)();
        let mut group = criterion.benchmark_group(case.unit);
        group.throughput(Throughput::Elements(case.units));
        group.bench_function(case.name, |bencher| bencher.iter(|| black_box(&mut run)()));
        group.finish();
    }
    criterion.final_summary();
}
