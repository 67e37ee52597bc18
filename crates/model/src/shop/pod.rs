use std::fmt::{self, Display, Formatter};

use quotelock_core::lock::{Outcome, QueryTime};
use quotelock_core::single_flight::Token;
use quotelock_core::table::Verdict;
use quotelock_core::timestamp::Timestamp;

use super::server::Claimed;
use super::{Fault, Seconds, Seen, Shop, State, at_ms};

/// A pod, which works on one screen at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pod {
    /// How far its clock is ahead of upstream's.
    ahead: Seconds,
    pub(super) request: Option<Request>,
}

/// A screen that a pod is to answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Request {
    screen: Screen,
    /// What the app has shown, and sends to reserve it.
    sent: Option<Seen>,
    next: Step,
}

/// A screen of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// It starts a lock, or renews it.
    Map,
    /// It starts a lock where there is none.
    Page,
    /// It only reads the lock, and has the price compared that was seen.
    Reserve,
}

/// What a pod does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    SetLock { moment: Seconds },
    Row { moment: Seconds },
    Ask { moment: Seconds, token: Option<Token> },
    Store { moment: Seconds, price: usize, token: Option<Token> },
    ReadBack { moment: Seconds, price: usize },
    Wait { moment: Seconds },
    Answer { moment: Seconds, price: usize, said: bool },
}

impl Pod {
    pub(super) fn idle(ahead: Seconds) -> Self {
        Self { ahead, request: None }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.request, Some(Request { next: Step::Wait { .. }, .. }))
    }

    /// Whether it is about to show another price than this, and of another moment.
    pub(super) fn shows_another(&self, seen_moment: Seconds, seen_price: usize) -> bool {
        let next = self.request.as_ref().map(|request| request.next);
        matches!(next, Some(Step::Answer { moment, price, .. }) if moment != seen_moment && price != seen_price)
    }

    /// Takes the lock that is there, or another, for a screen that the user opens. Without one a reservation has nothing to
    /// show, and says so.
    pub(super) fn open(&self, screen: Screen, shop: &Shop, state: &mut State) -> Option<Request> {
        let next = if screen == Screen::Reserve {
            let lock = state.primary.lock(state.now);
            if lock.is_none() {
                state.seen = None;
            }
            row_of(lock?)
        } else {
            self.lock(screen == Screen::Page, shop, state)
        };
        let sent = state.seen.filter(|_| screen == Screen::Reserve);
        Some(Request { screen, sent, next })
    }

    fn lock(&self, if_missing: bool, shop: &Shop, state: &mut State) -> Step {
        let pod_time = at_ms((state.now + self.ahead) * 1000 - shop.lag_ms());
        let time = match shop.fault {
            Some(Fault::PodClock(_)) => QueryTime::Given(b"", pod_time),
            _ => QueryTime::Clock,
        };
        let (outcome, wanted) = state.primary.decide(time, if_missing, shop.lag_ms(), state.now);
        match (outcome, state.primary.lock(state.now)) {
            (Outcome::Held, Some(held)) => row_of(held),
            _ if shop.fault == Some(Fault::GetThenSet) => Step::SetLock { moment: seconds(wanted) },
            _ => {
                state.set_lock(wanted);
                row_of(wanted)
            }
        }
    }

    /// Does the next step of its request; returns what is left of it.
    pub(super) fn step(&self, shop: &Shop, state: &mut State) -> Option<Request> {
        let request = self.request.clone()?;
        let now = state.now;
        let answer = |moment, price| Some(Step::Answer { moment, price, said: false });
        let next = match request.next {
            Step::SetLock { moment } => {
                state.set_lock(at_ms(moment * 1000));
                Some(Step::Row { moment })
            }
            Step::Row { moment } => Some(request.row(moment, state)),
            Step::Ask { moment, token } => {
                Some(Step::Store { moment, price: state.upstream.price(moment), token })
            }
            Step::Store { moment, price, token } => {
                let stored = state.primary.set(moment, price, token, shop.lag_ms(), now);
                match token {
                    Some(_) if stored => answer(moment, price),
                    // The claim was lost: the row of whoever was first stands.
                    Some(_) => Some(Step::Store { moment, price, token: None }),
                    None => Some(Step::ReadBack { moment, price }),
                }
            }
            Step::ReadBack { moment, price } => {
                answer(moment, state.primary.price(moment, now).unwrap_or(price))
            }
            // Its time can be up at any step, with the row or without.
            Step::Wait { moment } => match state.primary.price(moment, now) {
                Some(price) => answer(moment, price),
                None => Some(Step::Ask { moment, token: None }),
            },
            Step::Answer { moment, price, said } => {
                state.show(moment, price, said);
                None
            }
        };
        Some(Request { next: next?, ..request })
    }
}

fn seconds(moment: Timestamp) -> Seconds {
    moment.unix_ms() / 1000
}

fn row_of(moment: Timestamp) -> Step {
    Step::Row { moment: seconds(moment) }
}

impl Request {
    /// Compares the row, or reads it, or claims it.
    fn row(&self, moment: Seconds, state: &mut State) -> Step {
        let now = state.now;
        if let (Screen::Reserve, Some(sent)) = (self.screen, self.sent)
            && sent.moment == moment
        {
            match state.primary.verify(moment, sent.price, now) {
                Verdict::Match => return Step::Answer { moment, price: sent.price, said: false },
                Verdict::Changed => {
                    let price = state.primary.price(moment, now).unwrap_or(sent.price);
                    return Step::Answer { moment, price, said: true };
                }
                Verdict::Missing => {}
            }
        }
        let token = free_token(state);
        match state.primary.claim(moment, token, now) {
            Claimed::Row(price) => Step::Answer { moment, price, said: false },
            Claimed::Ours(token) => Step::Ask { moment, token: Some(token) },
            Claimed::Pending => Step::Wait { moment },
        }
    }
}

/// The least token that is nobody's: which one it is makes no difference, so there are few.
fn free_token(state: &State) -> Token {
    let has = |pod: &Pod, token: Token| match pod.request.as_ref().map(|request| request.next) {
        Some(Step::Ask { token: held, .. } | Step::Store { token: held, .. }) => held == Some(token),
        _ => false,
    };
    let mut tokens = (1..).map(Token::new);
    let is_free = |token: &Token| {
        !state.primary.is_used(*token, state.now) && !state.pods.iter().any(|pod| has(pod, *token))
    };
    tokens.find(is_free).unwrap()
}

impl Display for Pod {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(Request { screen, next, .. }) = &self.request else {
            return f.write_str("an idle pod");
        };
        let claimed = |token: &Option<Token>| if token.is_some() { "claimed" } else { "not claimed" };
        write!(f, "{screen:?}: ")?;
        match next {
            Step::SetLock { moment } => write!(f, "sets a lock on second {moment}"),
            Step::Row { moment } => write!(f, "reads the row of second {moment}, or claims it"),
            Step::Ask { moment, token } => {
                write!(f, "fetches second {moment} from upstream, {}", claimed(token))
            }
            Step::Store { moment, price, token } => {
                write!(f, "stores price {price} of second {moment}, {}", claimed(token))
            }
            Step::ReadBack { moment, .. } => write!(f, "reads the row of second {moment}"),
            Step::Wait { moment } => write!(f, "waits for the row of second {moment}"),
            Step::Answer { moment, price, said } => {
                let news = if *said { ", and says it is another" } else { "" };
                write!(f, "shows price {price} of second {moment}{news}")
            }
        }
    }
}
