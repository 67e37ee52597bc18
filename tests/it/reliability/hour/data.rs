//! The data of a run, in lines of some seconds each, and its charts.

use std::fs;
use std::path::Path;

use super::chart::{self, Panel};
use super::plan::Plan;
use super::samples::{DESCRIPTORS, MEMORY, RESIDENT, Sample, column, median};
use super::{Course, Run};

/// A line's figures: medians of its samples, and of a maximum the greatest.
fn line(samples: &[Sample]) -> Sample {
    let names = samples[0].keys();
    let figure = |name: &&'static str| {
        let all = column(samples, name);
        (*name, if name.ends_with("_max") { all.into_iter().fold(0.0, f64::max) } else { median(all) })
    };
    names.map(figure).collect()
}

fn lines(course: &Course, plan: &Plan) -> Vec<Sample> {
    course.samples.chunks_exact(plan.samples_a_line).map(line).collect()
}

pub(crate) fn write(directory: &Path, runs: &[Run], plan: &Plan) {
    fs::create_dir_all(directory).unwrap();
    let put = |name: &str, text: String| fs::write(directory.join(name), text).unwrap();
    put("hour.csv", table(runs, plan));

    let series = |node: usize, name: &str, unit: f64| {
        let of = |run: &Run| {
            let values = column(&lines(&run.courses[node], plan), name);
            (run.kind.name(), values.into_iter().map(|value| value / unit).collect())
        };
        runs.iter().map(of).collect()
    };
    let minutes = plan.load.as_secs_f64() / 60.0;
    let panel = |title, node, name, unit| Panel { title, series: series(node, name, unit) };
    let note = "Each server with a replica, under the same mixed load; medians of each minute.";
    let panels = [
        panel("memory in use (used_memory), MB", 0, MEMORY, 1e6),
        panel("the same of the replica, MB", 1, MEMORY, 1e6),
        panel("resident memory, MB", 0, RESIDENT, 1e6),
        panel("file descriptors", 0, DESCRIPTORS, 1.0),
    ];
    put(
        "hour.svg",
        chart::draw("An hour of mixed load: memory and file descriptors", note, minutes, &panels),
    );
    let note = "On a machine shared with other work: times say little.";
    let panels = [
        panel("PING, median, ms", 0, "ping_p50", 1.0),
        panel("up to 40 rows in JSON, median, ms", 0, "rows_p50", 1.0),
        panel("up to 40 rows in JSON, p99, ms", 0, "rows_p99", 1.0),
    ];
    put(
        "hour-latency.svg",
        chart::draw("An hour of mixed load: how long a client waits", note, minutes, &panels),
    );
}

fn table(runs: &[Run], plan: &Plan) -> String {
    let names: Vec<&str> = runs[0].courses[0].samples[0].keys().copied().collect();
    let mut text = format!("server,node,seconds,{}\n", names.join(","));
    for run in runs {
        for course in &run.courses {
            let seconds = plan.load.as_secs_f64() * plan.samples_a_line as f64 / course.samples.len() as f64;
            for (place, line) in lines(course, plan).iter().enumerate() {
                let figure = |name: &&str| line.get(name).map_or_else(String::new, |figure| short(*figure));
                let figures: Vec<String> = names.iter().map(figure).collect();
                let end = seconds * (place + 1) as f64;
                text.push_str(&format!("{},{},{end:.0},{}\n", run.kind, course.node, figures.join(",")));
            }
        }
    }
    text
}

/// Whole numbers as they are, others to three digits.
fn short(figure: f64) -> String {
    if figure.fract() == 0.0 { figure.to_string() } else { format!("{figure:.3}") }
}
