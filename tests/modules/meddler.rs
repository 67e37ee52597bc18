//! A module that meddles: while another module or the server tells of a change to a key, it runs a command on
//! that key. `tests/it/meddling.rs` loads it beside ours.
//!
//! `MEDDLE event now|after command [arg …]` runs the command, with `%` for the key, each time the event is
//! raised: in the callback, or in a job after it where the server has them. `MEDDLE.STOP` forgets all that.
#![expect(missing_docs, reason = "what the macro makes has none")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use redis_module::{
    CallOptionsBuilder, CallResult, Context, NextArg, NotifyEvent, RedisError, RedisResult, RedisString,
    redis_module,
};

#[derive(Clone)]
struct Rule {
    event: String,
    in_job: bool,
    command: String,
    args: Vec<Vec<u8>>,
}

static RULES: Mutex<Vec<Rule>> = Mutex::new(Vec::new());

/// What it does itself raises events too, in which it does nothing.
static MEDDLES: AtomicBool = AtomicBool::new(false);

fn meddle(_: &Context, args: Vec<RedisString>) -> RedisResult {
    let mut args = args.into_iter().skip(1);
    let event = args.next_string()?;
    let in_job = match args.next_str()? {
        "now" => false,
        "after" => true,
        _ => return Err(RedisError::Str("ERR now or after")),
    };
    let command = args.next_string()?;
    let args = args.map(|arg| arg.as_slice().to_vec()).collect();
    rules().push(Rule { event, in_job, command, args });
    Ok("OK".into())
}

fn stop(_: &Context, _: Vec<RedisString>) -> RedisResult {
    rules().clear();
    Ok("OK".into())
}

fn rules() -> std::sync::MutexGuard<'static, Vec<Rule>> {
    RULES.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn on_event(context: &Context, _: NotifyEvent, event: &str, key: &[u8]) {
    if MEDDLES.load(Relaxed) {
        return;
    }
    let due: Vec<Rule> = rules().iter().filter(|rule| rule.event == event).cloned().collect();
    for rule in due {
        if rule.in_job {
            let key = key.to_vec();
            let added = context.add_post_notification_job(move |context| run(context, &rule, &key));
            assert!(added.is_ok(), "this server has no jobs");
        } else {
            run(context, &rule, key);
        }
    }
}

/// Runs a rule's command, which is replicated. An error is no matter: the key may be gone.
fn run(context: &Context, rule: &Rule, key: &[u8]) {
    let args: Vec<&[u8]> = rule.args.iter().map(|arg| if arg == b"%" { key } else { arg }).collect();
    let options = CallOptionsBuilder::new().replicate().errors_as_replies().build();
    MEDDLES.store(true, Relaxed);
    let _reply: CallResult<'_> = context.call_ext(&rule.command, &options, args.as_slice());
    MEDDLES.store(false, Relaxed);
}

redis_module! {
    name: "meddler",
    version: 1,
    allocator: (std::alloc::System, std::alloc::System),
    data_types: [],
    commands: [
        ["meddle", meddle, "", 0, 0, 0, ""],
        ["meddle.stop", stop, "", 0, 0, 0, ""],
    ],
    // Not of `new`: there the server itself still writes the key.
    event_handlers: [[@GENERIC @STRING @EXPIRED @MODULE @MISSED: on_event]],
}
