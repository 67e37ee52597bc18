use std::fmt::{self, Debug, Display, Formatter};

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

/// What clients asked of one key and were answered, in the order in which it happened.
pub struct History<S: SequentialSpec> {
    calls: Vec<Call<S>>,
    events: Vec<Event>,
}

struct Call<S: SequentialSpec> {
    client: usize,
    asked: S::Op,
    answer: Option<S::Ret>,
    thread: Thread,
}

/// What became of a call, by its number.
enum Event {
    Asked(usize),
    Answered(usize),
}

/// A call is a thread of its own, numbered as the answers came: the tester tries threads in this order, which is nearly
/// that in which calls were carried out. Calls without an answer come last, as most of them were not. So the tester seldom
/// has to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thread {
    Answered(usize),
    Unanswered(usize),
}

impl<S: SequentialSpec> Default for History<S> {
    fn default() -> Self {
        Self { calls: Vec::new(), events: Vec::new() }
    }
}

impl<S> History<S>
where
    S: SequentialSpec + Clone,
    S::Op: Clone + Debug,
    S::Ret: Clone + Debug + PartialEq,
{
    /// A client is about to send a call. Returns the call's number.
    pub fn ask(&mut self, client: usize, asked: S::Op) -> usize {
        let call = self.calls.len();
        self.calls.push(Call { client, asked, answer: None, thread: Thread::Unanswered(call) });
        self.events.push(Event::Asked(call));
        call
    }

    /// The answer to a call has come. A call without one may have been carried out, or never.
    pub fn answer(&mut self, call: usize, answer: S::Ret) {
        self.calls[call].answer = Some(answer);
        self.calls[call].thread = Thread::Answered(self.events.len());
        self.events.push(Event::Answered(call));
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// How many calls were not answered.
    pub fn unanswered(&self) -> usize {
        self.calls.iter().filter(|call| call.answer.is_none()).count()
    }

    /// Whether there is an order of the calls, in which those that don't overlap stay as they were, and in which `key`
    /// answers each as it was answered.
    pub fn is_linearizable(&self, key: S) -> bool {
        let mut tester = LinearizabilityTester::new(key);
        for event in &self.events {
            let valid = match *event {
                Event::Asked(call) => {
                    tester.on_invoke(self.calls[call].thread, self.calls[call].asked.clone())
                }
                Event::Answered(call) => {
                    let Call { thread, answer, .. } = &self.calls[call];
                    tester.on_return(*thread, answer.clone().unwrap())
                }
            };
            assert!(valid.is_ok(), "{}", valid.err().unwrap());
        }
        tester.is_consistent()
    }
}

/// A line for each event.
impl<S: SequentialSpec> Display for History<S>
where
    S::Op: Debug,
    S::Ret: Debug,
{
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for event in &self.events {
            match *event {
                Event::Asked(call) => {
                    let Call { client, asked, answer, .. } = &self.calls[call];
                    let lost = if answer.is_none() { " (no answer)" } else { "" };
                    writeln!(f, "client {client}, call {call}: {asked:?}{lost}")?;
                }
                Event::Answered(call) => writeln!(f, "call {call} answered: {:?}", self.calls[call].answer)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stateright::semantics::register::{Register, RegisterOp, RegisterRet};

    use super::*;

    /// A write and a read that overlap where `overlap` says so; the read is answered 'B', the written value or not.
    fn history(overlap: bool, written: char, answered: bool) -> History<Register<char>> {
        let mut history = History::default();
        let read = overlap.then(|| history.ask(1, RegisterOp::Read));
        let write = history.ask(0, RegisterOp::Write(written));
        if answered {
            history.answer(write, RegisterRet::WriteOk);
        }
        let read = read.unwrap_or_else(|| history.ask(0, RegisterOp::Read));
        history.answer(read, RegisterRet::ReadOk('B'));
        history
    }

    #[test]
    fn checks_what_overlaps() {
        let cases = [
            // (the read began before the write, what was written, whether that was answered, verdict)
            (false, 'B', true, true),
            (false, 'C', true, false),
            (true, 'C', true, false),
            (true, 'B', true, true),
            // A client goes on after a call that was never answered, which may have been carried out.
            (false, 'B', false, true),
            (false, 'C', false, false),
        ];
        for (overlap, written, answered, expected) in cases {
            let history = history(overlap, written, answered);
            assert_eq!(history.is_linearizable(Register('A')), expected, "{history}");
            assert_eq!(history.unanswered(), usize::from(!answered));
        }
    }

    #[test]
    fn a_lost_write_may_not_have_been_carried_out() {
        let history = history(false, 'C', false);
        assert!(history.is_linearizable(Register('B')), "{history}");
    }
}
