//! The tutorial, followed by the letter: what it has its reader type answers as it says.

use std::fs;
use std::process::{Command, Stdio};

use crate::clients::program;
use crate::harness::*;
use crate::pages::{blocks, redis_cli};

const PROGRAM: &str = "tests/clients/tutorial.mjs";

fn page() -> String {
    fs::read_to_string(workspace().join("docs/tutorial.md")).unwrap()
}

fn screens(server: &Server) -> Command {
    let mut command = program("tutorial.mjs");
    command.env("REDIS_URL", server.url());
    command
}

#[track_caller]
fn printed(command: &mut Command) -> String {
    let out = output(command);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Moments and prices differ with each run: `1.37` on the page is the first price that this run shows, and so on.
fn as_in_this_run(shown: &str, moment: &str, prices: &[(String, String)]) -> String {
    let mut shown = shown.replace("2026-11-23T09:05:00.000Z", moment);
    // All at once: a price of this run may be another one on the page.
    for (nth, (on_page, _)) in prices.iter().enumerate() {
        shown = shown.replace(on_page, &format!("<price {nth}>"));
    }
    for (nth, (_, here)) in prices.iter().enumerate() {
        shown = shown.replace(&format!("<price {nth}>"), here);
    }
    shown
}

fn prices(printed: &str) -> Vec<String> {
    let after = printed.split("costs ").skip(1);
    after.map(|rest| rest.split([',', '\n']).next().unwrap().to_owned()).collect()
}

#[test]
fn what_it_types_answers_as_it_says() {
    let server = Server::start(Kind::DEFAULT);
    let page = page();
    let shown = blocks(&page, "redis-cli").concat();
    let answered = redis_cli(&server, &["-3"], &shown);
    let moment = answered.split("\"queryTime\" => \"").nth(1).unwrap().split('"').next().unwrap();
    let expected: String = shown
        .lines()
        .filter(|line| !line.starts_with("> "))
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    let answered: String = answered.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert_eq!(answered, as_in_this_run(&expected, moment, &[]));

    let session = blocks(&page, "console").concat();
    let mut known = Vec::new();
    for step in session.split("$ node screens.mjs ").skip(1) {
        let (words, says) = step.split_once('\n').unwrap();
        let words = as_in_this_run(words, moment, &known);
        let printed = printed(screens(&server).args(words.split(' ')));
        if known.is_empty() {
            known = prices(says).into_iter().zip(prices(&printed)).collect();
        }
        assert_eq!(printed, as_in_this_run(says, moment, &known), "{words}");
    }
    assert_eq!(known.len(), 3);
}

#[test]
fn a_price_of_this_run_may_be_another_one_on_the_page() {
    let prices = [("1.37", "1.82"), ("1.82", "1.05"), ("1.05", "1.05")];
    let prices = prices.map(|(on_page, here)| (on_page.to_owned(), here.to_owned()));
    assert_eq!(as_in_this_run("1.37, 1.82, 1.05", "", &prices), "1.82, 1.05, 1.05");
}

#[test]
fn five_pods_that_race_show_one_price() {
    let server = Server::start(Kind::DEFAULT);
    let pods: Vec<_> = (0..5)
        .map(|_| screens(&server).args(["page", "4799"]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut shown: Vec<_> = pods
        .into_iter()
        .flat_map(|pod| prices(&String::from_utf8(pod.wait_with_output().unwrap().stdout).unwrap()))
        .collect();
    assert_eq!(shown.len(), 5);
    shown.dedup();
    assert_eq!(shown.len(), 1, "{shown:?}");
}

#[test]
fn shows_its_program_as_it_is() {
    let program = fs::read_to_string(workspace().join(PROGRAM)).unwrap();
    assert!(
        page().contains(&format!("<!-- {PROGRAM} -->\n```js\n{program}```\n")),
        "docs/tutorial.md and {PROGRAM}"
    );
}

/// What is typed and printed is the same in both languages, and is tested above.
#[test]
fn the_chinese_tutorial_has_the_same_blocks() {
    let chinese = fs::read_to_string(workspace().join("docs/tutorial.zh-TW.md")).unwrap();
    let blocks = |page: &str| page.split("```").skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(blocks(&chinese), blocks(&page()));
}
