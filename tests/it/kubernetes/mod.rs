//! `deploy/kubernetes`: a server started as its manifests start it answers its probes, and users may do their work and no more.
//! `make lint` checks the manifests by schema.

mod manifest;
mod pod;

use std::fs;

use manifest::{manifest, manifests, placeholders, string, strings, users};
use pod::Pod;
use redis::{Connection, Value};
use yaml_rust2::Yaml;

use crate::harness::*;

const STATEFUL_SETS: [&str; 2] = ["own-image.yaml", "init-container.yaml"];

fn conf() -> String {
    string(&manifest("common/config.yaml")["data"]["redis.conf"]).to_owned()
}

#[track_caller]
fn setting(con: &mut Connection, name: &str) -> String {
    match cmd(con, &["CONFIG", "GET", name]) {
        Value::Array(pair) => show(&pair[1]).trim_matches('"').to_owned(),
        other => panic!("{name}: {}", show(&other)),
    }
}

#[apply(oldest_and_newest)]
fn a_pod_answers_its_probes(#[case] kind: Kind) {
    for stateful_set in STATEFUL_SETS {
        let pod = Pod::start(kind, stateful_set, &conf(), &users());
        pod.becomes_ready();
        assert!(pod.passes("readinessProbe") && pod.passes("livenessProbe"), "{stateful_set}");
        let admin = &mut pod.connection(Some("admin"));
        assert_eq!(setting(admin, "quotelock.lock-align-s"), "60");
        assert_eq!(setting(admin, "maxmemory"), "1073741824");
        assert_eq!(setting(admin, "appendonly"), "yes");
    }
}

/// Not so one that has lost the right to ask it.
#[apply(oldest_and_newest)]
fn a_pod_whose_probe_is_refused_is_alive_and_not_ready(#[case] kind: Kind) {
    let pod = Pod::start(kind, "own-image.yaml", &conf(), &users());
    pod.becomes_ready();
    cmd(&mut pod.connection(Some("admin")), "ACL SETUSER probe -quotelock.get");
    assert!(!pod.passes("startupProbe") && !pod.passes("readinessProbe"));
    assert!(pod.passes("livenessProbe"));
}

#[apply(oldest_and_newest)]
fn users_may_do_their_work_and_no_more(#[case] kind: Kind) {
    const APP: (&[&str], &[&str]) = (
        &[
            "QUOTELOCK.ACQUIRE hermes:LockedQuoteInfo:42 3 *",
            "QUOTELOCK.GET hermes:LockedQuoteInfo:42",
            "QUOTELOCK.DEL hermes:LockedQuoteInfo:42",
            "VEHPRICE.CLAIM hermes:prices:{x}:3 PX 1000 IDS 1",
            "VEHPRICE.MSET hermes:prices:{x}:3 FIELDS 1 a ROWS 1 x",
            "VEHPRICE.MGET hermes:prices:{x}:3 JSON BLOCK 1000 IDS 1",
            "VEHPRICE.VERIFY hermes:prices:{x}:3 1 a x",
            "VEHPRICE.CHANGES hermes:prices:{x}:3 0",
            "PRICEPLAN.TAG hermes:pricingReleaseToggle 1",
            "INFO quotelock",
        ],
        &[
            "QUOTELOCK.GET other:42",
            "QUOTELOCK.SET hermes:LockedQuoteInfo:42 3 *",
            "SET hermes:pricingReleaseToggle 3",
            "VEHPRICE.CLEAR hermes:prices:{x}:3",
            "DEL hermes:x",
            "FLUSHALL",
            "CONFIG GET *",
            "ACL LIST",
        ],
    );
    const PROBE: (&[&str], &[&str]) = (
        &["QUOTELOCK.GET healthcheck", "PING"],
        &["QUOTELOCK.SET healthcheck 3 *", "QUOTELOCK.GET hermes:LockedQuoteInfo:42", "INFO", "CONFIG GET *"],
    );
    const EXPORTER: (&[&str], &[&str]) = (
        &["INFO ALL", "PING", "CONFIG GET maxmemory", "SLOWLOG LEN", "LATENCY LATEST", "LATENCY HISTOGRAM"],
        &[
            "QUOTELOCK.GET hermes:LockedQuoteInfo:42",
            "CONFIG SET maxmemory 1",
            "KEYS *",
            "CLIENT LIST",
            "CLIENT KILL TYPE normal",
            "SHUTDOWN",
        ],
    );
    let pod = Pod::start(kind, "init-container.yaml", &conf(), &users());
    pod.becomes_ready();
    for (user, (may, may_not)) in [("app", APP), ("probe", PROBE), ("exporter", EXPORTER)] {
        let con = &mut pod.connection(Some(user));
        for words in may {
            try_cmd(con, *words).unwrap_or_else(|error| panic!("{user}: {words}: {error}"));
        }
        for words in may_not {
            let answer = try_cmd(con, *words);
            assert!(
                matches!(&answer, Err(error) if error.starts_with("NOPERM")),
                "{user}: {words}: {answer:?}"
            );
        }
    }
    // The exporter's script asks by EVAL.
    let exporter = &mut pod.connection(Some("exporter"));
    let info = text(exporter, &["EVAL", "return redis.call('INFO', 'quotelock')", "0"]);
    assert!(info.contains("quotelock_locks_created:"), "{info}");
    let nobody = try_cmd(&mut pod.connection(None), "PING");
    assert!(matches!(&nobody, Err(error) if error.starts_with("NOAUTH")), "{nobody:?}");
}

/// What follows a user's password.
#[track_caller]
fn rights<'a>(lines: &'a str, user: &str) -> &'a str {
    let start = format!("user {user} reset on ");
    let line = lines.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no user {user}")).split_once(' ').unwrap().1
}

#[test]
fn the_exporter_may_do_what_the_reference_says() {
    let page = fs::read_to_string(workspace().join("docs/reference/access.md")).unwrap();
    assert_eq!(rights(&placeholders(), "exporter"), rights(&page, "monitoring"));
}

#[test]
fn an_app_may_do_the_same_with_a_chart() {
    let values = manifest("values-valkey-helm.yaml");
    let app = string(&values["auth"]["aclUsers"]["app"]["permissions"]);
    assert_eq!(app, rights(&placeholders(), "app"));
}

#[test]
fn a_hash_that_was_not_put_in_keeps_the_server_from_starting() {
    let pod = Pod::start(Kind::DEFAULT, "own-image.yaml", &conf(), &placeholders());
    let log = pod.refusal();
    assert!(log.contains("users.acl:2"), "{log}");
}

/// The lines that values files add to a chart's conf.
#[apply(oldest_and_newest)]
fn what_values_files_add_starts_a_server(#[case] kind: Kind) {
    let valkey = manifest("values-valkey-helm.yaml");
    let bitnami = manifest("values-bitnami.yaml");
    for lines in [string(&valkey["valkeyConfig"]), string(&bitnami["commonConfiguration"])] {
        let lines = lines.replace("/module/libquotelock.so", &module());
        let server = lines
            .lines()
            .fold(Server::builder(kind).without_module(), |server, line| server.conf(line))
            .start();
        let con = &mut server.connection();
        assert_eq!(setting(con, "quotelock.lock-align-s"), "60");
        assert_eq!(setting(con, "appendonly"), "yes");
    }
}

/// The probe of valkey-helm's values, with the user that is there for it.
#[apply(oldest_and_newest)]
fn the_probe_of_valkey_helm_asks_the_module(#[case] kind: Kind) {
    let values = manifest("values-valkey-helm.yaml");
    let probe = strings(&values["readinessProbe"]["customProbe"]["exec"]["command"]);
    let user = string(&values["auth"]["aclConfig"]).trim().to_owned();
    let server = Server::builder(kind).conf(user).start();
    assert_eq!(probe[0], "valkey-cli");
    let asked = || {
        let mut command = std::process::Command::new("redis-cli");
        output(command.args(["-p", &server.port().to_string()]).args(&probe[1..])).status.success()
    };
    assert!(asked());
    cmd(&mut server.connection(), "ACL SETUSER probe -quotelock.get");
    assert!(!asked());
}

/// Those of the plain Prometheus, in the operator's spelling.
#[test]
fn the_service_monitor_names_metrics_as_the_rules_expect() {
    let monitor = &manifest("metrics/service-monitor.yaml")["spec"];
    let scraped = &manifest("../monitoring/prometheus.yml")["scrape_configs"][0];
    let service = &manifests("metrics/exporter.yaml")[1];
    assert_eq!(string(&service["kind"]), "Service");
    let job = &service["metadata"]["labels"][string(&monitor["jobLabel"])];
    assert_eq!(string(job), string(&scraped["job_name"]));
    // A new pod of the exporter keeps the instance's name.
    let relabelings = monitor["endpoints"][0]["relabelings"].as_vec().unwrap();
    assert_eq!(relabelings.len(), 1);
    assert_eq!(string(&relabelings[0]["targetLabel"]), "instance");
    assert!(!string(&relabelings[0]["replacement"]).is_empty());
    let named = |rules: &Yaml, [source, target]: [&str; 2]| {
        let rules = rules.as_vec().unwrap().iter();
        rules
            .map(|rule| {
                [&rule[source], &rule["regex"], &rule[target], &rule["replacement"]].map(Clone::clone)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        named(&monitor["endpoints"][0]["metricRelabelings"], ["sourceLabels", "targetLabel"]),
        named(&scraped["metric_relabel_configs"], ["source_labels", "target_label"])
    );
}
