//! Calls as the cases write them down.

use std::iter;
use std::ops::Range;

use super::*;

/// A command's words.
pub(super) type Command = Vec<Vec<u8>>;

/// Stands in a call for what was answered before it: the token of a `CLAIM`, or a `DUMP`.
pub(super) const ANSWER: &str = "<answer>";

/// Commands that are measured together, and those that make ready for them.
#[derive(Clone, Default)]
pub(super) struct Calls {
    pub(super) before: Vec<Command>,
    pub(super) measured: Vec<Command>,
    /// What another client sends, one after the other, while these wait.
    pub(super) meanwhile: Vec<Command>,
    /// Rows or bytes that they go through and that are neither sent nor answered.
    pub(super) unseen: usize,
    pub(super) are_refused: bool,
}

/// A command, split at its spaces.
pub(super) fn call(words: &str) -> Calls {
    Calls { measured: vec![words.words()], ..Calls::default() }
}

impl Calls {
    /// More words of the last command.
    pub(super) fn with<W: Into<Vec<u8>>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.measured.last_mut().unwrap().extend(words.into_iter().map(Into::into));
        self
    }

    /// These, then others.
    pub(super) fn then(mut self, next: Self) -> Self {
        self.measured.extend(next.measured);
        self
    }

    /// These, this many times.
    pub(super) fn times(mut self, count: usize) -> Self {
        self.measured = iter::repeat_n(self.measured, count).flatten().collect();
        self
    }

    /// These, once others have made ready for them.
    pub(super) fn after(mut self, first: Self) -> Self {
        self.before.splice(0..0, first.before.into_iter().chain(first.measured));
        self
    }

    /// These, which wait until another client has sent others.
    pub(super) fn until(self, others: Self) -> Self {
        Self { meanwhile: others.measured, ..self }
    }

    /// These, which go through so much more.
    pub(super) fn through(self, unseen: usize) -> Self {
        Self { unseen, ..self }
    }

    /// These, which are answered by errors.
    pub(super) fn refused(self) -> Self {
        Self { are_refused: true, ..self }
    }

    /// How many bytes they take as they are sent.
    pub(super) fn bytes(&self) -> usize {
        self.measured.iter().map(|command| packed(command).len()).sum()
    }
}

/// One call for each item.
pub(super) fn each<T>(items: impl IntoIterator<Item = T>, call: impl Fn(T) -> Calls) -> Calls {
    items.into_iter().map(call).fold(Calls::default(), Calls::then)
}

/// Stores rows with these fields, all of this value, in the table of this key. Options may follow the key.
pub(super) fn mset(key: &str, ids: Range<usize>, names: &[String], value: &str) -> Calls {
    let head = format!("VEHPRICE.MSET {key} FIELDS {} {} ROWS", names.len(), names.join(" "));
    let row = |id: usize| iter::once(id.to_string()).chain(names.iter().map(|_| value.to_owned()));
    call(&head).with(ids.flat_map(row))
}

/// Stores a row with these fields, all of this value. Options may follow key and id.
pub(super) fn set(key_and_id: &str, names: &[String], value: &str) -> Calls {
    let pairs = names.iter().flat_map(|name| [name.clone(), value.to_owned()]);
    call(&format!("VEHPRICE.SET {key_and_id} FIELDS {}", names.len())).with(pairs)
}

/// Claims rows of the table `t`, there or not.
pub(super) fn claimed(ids: Range<usize>) -> Calls {
    call("VEHPRICE.CLAIM t PX 60000 REFRESH 9999999999 IDS").with(self::ids(ids))
}

/// Reads rows of the table `t`. Options may come before the ids.
pub(super) fn mget(options: &str, ids: impl IntoIterator<Item = String>) -> Calls {
    call(&format!("VEHPRICE.MGET t {options} IDS").replace("  ", " ")).with(ids)
}

/// Until rows and claims of a few milliseconds have expired. It takes no processor time.
pub(super) fn pause() -> Calls {
    call("DEBUG SLEEP 0.02")
}

/// This many names of fields.
pub(super) fn names(count: usize, prefix: &str) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:02}")).collect()
}

/// Names of fields as `FIELDS` and `RAW` take them, from the last to the first.
pub(super) fn backwards(names: &[String]) -> String {
    let names: Vec<_> = names.iter().rev().map(String::as_str).collect();
    format!("{} {}", names.len(), names.join(" "))
}

pub(super) fn ids(range: Range<usize>) -> impl Iterator<Item = String> + Clone {
    range.map(|id| id.to_string())
}

/// A word this many times.
pub(super) fn repeated(count: usize, word: &str) -> impl Iterator<Item = String> {
    iter::repeat_n(word.to_owned(), count)
}
