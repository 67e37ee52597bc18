//! The processor time of calls.

use std::io::Read;
use std::thread::sleep;
use std::time::Duration;

use super::*;

/// Servers on which calls are measured.
pub(super) struct Servers {
    plain: Server,
    with_aof: Server,
}

impl Servers {
    pub(super) fn start(kind: Kind) -> Self {
        Self { plain: start(kind, "no"), with_aof: start(kind, "yes") }
    }

    /// How many times as much the worst calls of a case cost as the plain ones, and both in words.
    pub(super) fn compare(&self, case: &Case) -> (f64, String) {
        let server = if case.is_kept { &self.with_aof } else { &self.plain };
        let ((worst, worst_size), (plain, plain_size)) =
            (cost(server, &case.worst), cost(server, &case.plain));
        let times = (worst / f64::from(worst_size)) / (plain / f64::from(plain_size));
        let in_ms = |seconds: f64, size: u32| format!("{:.3} ms for {size}", seconds * 1000.0);
        (times, format!("{}, {}", in_ms(worst, worst_size), in_ms(plain, plain_size)))
    }
}

fn start(kind: Kind, aof: &str) -> Server {
    let lines = [
        "rdbcompression no",
        // What is deleted is freed by the main thread, as its time alone counts.
        "lazyfree-lazy-server-del no",
        "lazyfree-lazy-user-del no",
        "appendfsync no",
        "auto-aof-rewrite-percentage 0",
    ];
    let builder = Server::builder(kind).module_args("max-claims 40000").conf(format!("appendonly {aof}"));
    let server = lines.into_iter().fold(builder, Builder::conf).start();
    // Where the server can, memory moves meanwhile.
    for setting in ["active-defrag-ignore-bytes 1", "active-defrag-threshold-lower 0", "activedefrag yes"] {
        let _refused = try_cmd(&mut server.connection(), &format!("CONFIG SET {setting}"));
    }
    server
}

/// The processor time of calls, the least of a few, and their size: the bytes that are sent, answered and
/// appended to the AOF, and what they go through besides.
fn cost(server: &Server, calls: &Calls) -> (f64, u32) {
    let [mut client, mut other] = [(); 2].map(|()| RawConnection::connect(server.port()).unwrap());
    let before: Vec<_> = calls.before.iter().map(|command| packed(command)).collect();
    let (mut least, mut size) = (f64::MAX, 0);
    for _ in 0..5 {
        cmd(&mut server.connection(), "FLUSHALL");
        let answers = before.iter().map(|command| client.request(command).unwrap());
        let answer = answers.filter_map(answer).last().unwrap_or_default();
        let measured = sent(&calls.measured, &answer).concat();
        let meanwhile = sent(&calls.meanwhile, &answer);
        let (errors, aof_bytes) = (errors(server), aof_bytes(server));
        let began = server.cpu_time().unwrap();
        client.send(&measured).unwrap();
        if !meanwhile.is_empty() {
            // By then they wait.
            sleep(Duration::from_millis(50));
        }
        for command in &meanwhile {
            other.request(command).unwrap();
        }
        client.send(PING).unwrap();
        let answered = read_to_pong(&client);
        least = least.min(server.cpu_time().unwrap() - began);
        let refused = if calls.are_refused { calls.measured.len() } else { 0 };
        assert_eq!(self::errors(server) - errors, refused);
        let appended = self::aof_bytes(server) - aof_bytes;
        size = measured.len() + meanwhile.concat().len() + answered + appended + calls.unseen;
    }
    (least, u32::try_from(size).unwrap())
}

/// What later calls may need of a reply: the token of a `CLAIM`, or a `DUMP`.
fn answer(reply: Value) -> Option<Vec<u8>> {
    match reply {
        Value::BulkString(bytes) => Some(bytes),
        Value::Array(members) => members.into_iter().nth(1).and_then(answer),
        _ => None,
    }
}

/// Commands as they are sent.
fn sent(commands: &[Command], answer: &[u8]) -> Vec<Vec<u8>> {
    let put_in = |word| if word == ANSWER.as_bytes() { answer.to_vec() } else { word };
    let words = |command: &Command| command.iter().cloned().map(put_in).collect::<Vec<_>>();
    commands.iter().map(|command| packed(&words(command))).collect()
}

fn errors(server: &Server) -> usize {
    server.info("stats", "total_error_replies").unwrap()
}

/// How long the AOF is; 0 without one.
fn aof_bytes(server: &Server) -> usize {
    server.info("persistence", "aof_current_size").unwrap_or(0)
}

const PING: &[u8] = b"PING\r\n";
const PONG: &[u8] = b"+PONG\r\n";

/// Reads all that is answered before a PING is, and returns how many bytes that was.
fn read_to_pong(client: &RawConnection) -> usize {
    let mut buffer = vec![0; 1 << 20];
    let (mut end, mut bytes) = (Vec::new(), 0);
    while !end.ends_with(PONG) {
        let count = client.stream().read(&mut buffer).unwrap();
        assert!(count > 0, "the server closed the connection");
        bytes += count;
        end.extend_from_slice(&buffer[count.saturating_sub(PONG.len())..count]);
        end.drain(..end.len().saturating_sub(PONG.len()));
    }
    bytes - PONG.len()
}
