//! Whether anything has grown.

use super::plan::Plan;
use super::samples::{BESIDES, DESCRIPTORS, KEYS, MEMORY, RESIDENT, Sample, THREADS, column, median};

/// What its resident memory may grow by from the second third to the last: a part of it, and bytes.
const RESIDENT_PART: f64 = 0.05;
const RESIDENT_BYTES: f64 = 2_000_000.0;
/// The keys there are must be as many, or the figures of two thirds say nothing about each other.
const KEYS_PART: f64 = 0.1;

/// What became of one server, primary or replica.
pub(crate) struct Course {
    pub(crate) node: &'static str,
    /// Empty, before the load that was sampled, and after it.
    pub(crate) before: Sample,
    pub(crate) after: Sample,
    pub(crate) samples: Vec<Sample>,
}

impl Course {
    fn third(&self, third: usize, name: &str) -> f64 {
        let length = self.samples.len() / 3;
        median(column(&self.samples[third * length..(third + 1) * length], name))
    }

    /// From the second third to the last.
    fn trend(&self, name: &str) -> f64 {
        self.third(2, name) - self.third(1, name)
    }

    fn left(&self, name: &str) -> f64 {
        self.after[name] - self.before[name]
    }

    /// What has grown by more than it may.
    pub(crate) fn complaints(&self, plan: &Plan) -> Vec<String> {
        let mut grown = Vec::new();
        let mut at_most = |what: &str, name: &str, by: f64, bound: f64| {
            if by > bound {
                grown.push(format!("{}: {name} {what} by {by}, more than {bound}", self.node));
            }
        };
        at_most("stays grown", MEMORY, self.left(MEMORY), plan.rest_bytes);
        for name in [DESCRIPTORS, THREADS] {
            at_most("stays grown", name, self.left(name), 0.0);
        }
        at_most("rises", BESIDES, self.trend(BESIDES), plan.trend_bytes);
        at_most(
            "rises",
            RESIDENT,
            self.trend(RESIDENT),
            RESIDENT_PART * self.third(1, RESIDENT) + RESIDENT_BYTES,
        );
        at_most("rises", DESCRIPTORS, self.trend(DESCRIPTORS), 1.0);
        at_most("rises", THREADS, self.trend(THREADS), 0.0);
        if plan.is_the_hour() {
            at_most("changes", KEYS, self.trend(KEYS).abs(), KEYS_PART * self.third(1, KEYS));
            for name in ["ping_p50", "rows_p50"].into_iter().filter(|name| self.samples[0].contains_key(name))
            {
                at_most("rises", name, self.trend(name), self.third(1, name) + 0.5);
            }
        }
        grown
    }

    /// The figures that count, in a line.
    pub(crate) fn figures(&self, calls: u64, plan: &Plan) -> String {
        let thirds = |name: &str, unit: f64, digits: usize| {
            let of = |third| format!("{:.digits$}", self.third(third, name) / unit);
            format!("{} / {} / {}", of(0), of(1), of(2))
        };
        format!(
            "{}: {} samples; by thirds: memory {} kB, besides keys {} kB, resident {} MB, descriptors {}, threads {}, keys {}; empty: \
             {:.1} kB before, {:+.2} kB after, {:+.4} bytes a call (the bound catches {:.3}; that of the thirds {:.3})",
            self.node,
            self.samples.len(),
            thirds(MEMORY, 1e3, 1),
            thirds(BESIDES, 1e3, 1),
            thirds(RESIDENT, 1e6, 2),
            thirds(DESCRIPTORS, 1.0, 0),
            thirds(THREADS, 1.0, 0),
            thirds(KEYS, 1.0, 0),
            self.before[MEMORY] / 1e3,
            self.left(MEMORY) / 1e3,
            self.left(MEMORY) / calls as f64,
            plan.rest_bytes / calls as f64,
            plan.trend_bytes / (calls as f64 / 3.0),
        )
    }
}
