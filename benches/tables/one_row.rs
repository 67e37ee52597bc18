//! One row beside one string.

use redis::cmd;

use super::common::benchmark::Sample;
use super::common::report::Spread;
use super::common::server::{Outcome, Server};
use super::report::Wants::AtLeast;
use super::report::{print_goal, print_goal_heads};
use super::vehicles::{fill, vehicles};
use super::wire::Wire;

pub(crate) fn run(rounds: u32, requests: u32) -> Outcome<()> {
    println!("\n== One row, {rounds} rounds of {requests} requests, redis-benchmark -P 32 -c 20\n");
    let server = Server::start(&super::module())?;
    let mut wire = Wire::connect(&server)?;
    let rows = vehicles(8000);
    let row = rows.first().ok_or("there is no vehicle")?;
    fill(&mut wire, "table", ("PX", 3_600_000), &rows)?;
    // With an expiry, as the row has.
    wire.run(&cmd("SET").arg("string").arg(row.json()).arg("EX").arg(3600).get_packed_command())?;

    let cases = [vec!["GET", "string"], vec!["VEHPRICE.GET", "table", &row.id, "JSON"]]
        .map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>());
    for words in &cases {
        let answer: String = server.run(words)?;
        if answer != row.json() {
            return Err(format!("{} is answered with {answer}", words.join(" ")).into());
        }
    }
    let [get, vehprice] = &cases;
    let (mut speeds, mut costs) = (Vec::new(), Vec::new());
    let mut rates = Vec::new();
    for round in 0..rounds {
        // Forth and back, so that neither is always the first.
        let (base, case);
        if round % 2 == 0 {
            base = Sample::take(&server, get, requests)?;
            case = Sample::take(&server, vehprice, requests)?;
        } else {
            case = Sample::take(&server, vehprice, requests)?;
            base = Sample::take(&server, get, requests)?;
        }
        speeds.push(case.requests_per_second / base.requests_per_second);
        costs.push(base.cpu_per_request / case.cpu_per_request);
        rates.push((base, case));
    }
    let spread = |figure: fn(&(Sample, Sample)) -> f64| Spread::of(rates.iter().map(figure)).show(0);
    println!("{:<40} {:<35} server CPU ns", "median (least - most)", "requests/s");
    let (rate, cpu) =
        (spread(|(base, _)| base.requests_per_second), spread(|(base, _)| base.cpu_per_request));
    println!("{:<40} {rate:<35} {cpu}", "GET");
    let (rate, cpu) =
        (spread(|(_, case)| case.requests_per_second), spread(|(_, case)| case.cpu_per_request));
    println!("{:<40} {rate:<35} {cpu}", "VEHPRICE.GET JSON");
    print_goal_heads("by requests/s", "by server CPU");
    let (speed, cost) = (Spread::of(speeds.into_iter()), Spread::of(costs.into_iter()));
    print_goal("speed of VEHPRICE.GET JSON / of GET", AtLeast(0.7), &speed, Some(&cost), 2);
    Ok(())
}
