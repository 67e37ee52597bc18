//! Many pods at one table at once.

use std::sync::Barrier;

use super::*;

const PODS: usize = 8;
const VEHICLES: usize = 500;

fn rounds(kind: Kind) -> usize {
    if kind == Kind::DEFAULT { 200 } else { 40 }
}

/// What a pod was told in a round: how many of its rows were stored, and the rows it then read.
struct Told {
    pod: usize,
    stored: i64,
    read: String,
}

#[apply(each_server)]
fn of_pods_that_fill_the_same_rows_one_wins_each(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let (before, after) = (&Barrier::new(PODS + 1), &Barrier::new(PODS + 1));
    let rounds = rounds(server.kind());
    let told: Vec<Vec<Told>> = std::thread::scope(|scope| {
        let pods: Vec<_> = (0..PODS)
            .map(|pod| {
                let mut con = server.connection();
                scope.spawn(move || {
                    let round = |round| {
                        before.wait();
                        let told = fill(&mut con, pod, round);
                        after.wait();
                        told
                    };
                    (0..rounds).map(round).collect::<Vec<_>>()
                })
            })
            .collect();
        for _ in 0..rounds {
            before.wait();
            after.wait();
        }
        pods.into_iter().map(|pod| pod.join().unwrap()).collect()
    });
    let mut winners_of_a_round = Vec::new();
    for round in 0..rounds {
        let told: Vec<&Told> = told.iter().map(|of_pod| &of_pod[round]).collect();
        // Every row was stored once, and all pods go on with the same rows.
        assert_eq!(told.iter().map(|one| one.stored).sum::<i64>(), VEHICLES as i64, "round {round}");
        let last = text(con, &mget(round));
        for one in &told {
            assert!(one.read == last, "pod {} read other rows in round {round}", one.pod);
        }
        // Each is one pod's, whole, and each pod has as many as it was told were stored.
        let mut won = [0; PODS];
        for row in parsed(&last).as_array().unwrap() {
            let pod = row["pod"].as_str().unwrap();
            assert_eq!(row["price"], format!("{pod}.{pod}").as_str());
            won[pod.parse::<usize>().unwrap()] += 1;
        }
        for one in &told {
            assert_eq!(won[one.pod], one.stored, "pod {} in round {round}", one.pod);
        }
        winners_of_a_round.push(won.iter().filter(|won| **won > 0).count());
    }
    // The pods did meet: in some rounds each of several won rows.
    assert!(winners_of_a_round.iter().any(|winners| *winners > 1), "{winners_of_a_round:?}");
}

fn table(round: usize) -> String {
    format!("tags:{round}")
}

fn mget(round: usize) -> Vec<String> {
    let words = ["VEHPRICE.MGET".to_owned(), table(round), "JSON".to_owned(), "IDS".to_owned()];
    words.into_iter().chain((0..VEHICLES).map(|id| id.to_string())).collect()
}

/// As pods do: read, fill what is missing in a few calls, each pod from another vehicle on, read again.
fn fill(con: &mut Connection, pod: usize, round: usize) -> Told {
    let mut stored = 0;
    for part in 0..5 {
        let first = (part + pod) % 5 * (VEHICLES / 5);
        let rows = (first..first + VEHICLES / 5).map(|id| format!("{id} {pod} {pod}.{pod}"));
        let rows = rows.collect::<Vec<_>>().join(" ");
        stored +=
            int(con, &format!("VEHPRICE.MSET {} NX EX 600 FIELDS 2 pod price ROWS {rows}", table(round)));
    }
    Told { pod, stored, read: text(con, &mget(round)) }
}

#[apply(each_server)]
fn a_batch_is_written_and_read_in_one_step(#[case] kind: Kind) {
    // Writers replace all rows in one call; a reader never sees rows of two calls.
    let server = &Server::start(kind);
    let rounds = rounds(server.kind());
    cmd(&mut server.connection(), &replace(0, 0));
    std::thread::scope(|scope| {
        for writer in 1..4 {
            let mut con = server.connection();
            scope.spawn(move || {
                for round in 0..rounds {
                    assert_eq!(int(&mut con, &replace(writer, round)), 50);
                }
            });
        }
        for reader in 0..4 {
            let mut con = server.connection();
            scope.spawn(move || {
                for _ in 0..rounds {
                    let rows: Vec<serde_json::Value> = if reader % 2 == 0 {
                        rows(&mut con, "t").as_object().unwrap().values().cloned().collect()
                    } else {
                        let ids = (0..50).map(|id| id.to_string()).collect::<Vec<_>>().join(" ");
                        let read = json(&mut con, &format!("VEHPRICE.MGET t JSON IDS {ids}"));
                        read.as_array().unwrap().clone()
                    };
                    assert_eq!(rows.len(), 50);
                    assert!(rows.iter().all(|row| row == &rows[0]), "{rows:?}");
                }
            });
        }
    });
}

fn replace(writer: usize, round: usize) -> String {
    let rows = (0..50).map(|id| format!("{id} {writer}.{round}")).collect::<Vec<_>>().join(" ");
    format!("VEHPRICE.MSET t FIELDS 1 a ROWS {rows}")
}

#[apply(each_server)]
fn fields_merged_by_many_are_all_kept(#[case] kind: Kind) {
    let server = &Server::start(kind);
    std::thread::scope(|scope| {
        for pod in 0..PODS {
            let mut con = server.connection();
            scope.spawn(move || {
                for id in 0..200 {
                    assert_eq!(
                        int(&mut con, &format!("VEHPRICE.SET t {id} MERGE FIELDS 1 plan:{pod} {pod}")),
                        1
                    );
                }
            });
        }
    });
    let all = rows(&mut server.connection(), "t");
    let fields = (0..PODS).map(|pod| (format!("plan:{pod}"), pod.to_string().into())).collect();
    let row = serde_json::Value::Object(fields);
    assert_eq!(all.as_object().unwrap().len(), 200);
    assert!(all.as_object().unwrap().values().all(|held| *held == row));
}
