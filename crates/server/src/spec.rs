//! How a command is described: what `COMMAND INFO` and `COMMAND DOCS` answer, and its page in `docs/commands`
//! shows.

use std::iter;

/// How a command is registered and documented.
#[derive(Debug)]
pub struct Spec {
    /// The name, in lower case.
    pub name: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// The time it takes, in big-O notation.
    pub complexity: &'static str,
    /// The version of the module that introduced it.
    pub since: &'static str,
    /// The server's command flags, separated by spaces.
    pub flags: &'static str,
    /// The server's own ACL categories, separated by spaces; the module's goes with them.
    pub categories: &'static str,
    /// Arguments with the command's name; negative: at least that many.
    pub arity: i32,
    /// Where its keys are and what it does to them.
    pub keys: &'static [KeySpec],
    /// The arguments after the name.
    pub args: &'static [Arg],
}

impl Spec {
    /// How the command is called: `VEHPRICE.DEL key id [id ...]`.
    pub fn usage(&self) -> String {
        let args = self.args.iter().map(Arg::usage);
        iter::once(self.name.to_uppercase()).chain(args).collect::<Vec<_>>().join(" ")
    }
}

/// A range of keys, and what a command does to them.
#[derive(Debug)]
pub struct KeySpec {
    /// What is done to the keys.
    pub flags: &'static [KeyFlag],
    /// The position of the first key; the command's name is at 0.
    pub first: i32,
    /// The position of the last key, counted from the first; negative: from the end.
    pub last: i32,
    /// How far the keys are apart.
    pub step: i32,
}

impl KeySpec {
    /// The first argument alone.
    pub const fn first(flags: &'static [KeyFlag]) -> Self {
        Self { flags, first: 1, last: 0, step: 1 }
    }
}

/// What a command does to a key: one of the first four, and what it does with the user's data there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the server's own words")]
pub enum KeyFlag {
    Ro,
    Rw,
    Ow,
    Rm,
    Access,
    Update,
    Insert,
    Delete,
}

/// One argument, or a group of arguments.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// The name that stands for its value.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// The word that comes before its value.
    pub token: Option<&'static str>,
    /// What it means, in a line.
    pub summary: &'static str,
    /// It may be omitted.
    pub optional: bool,
    /// It may be repeated.
    pub multiple: bool,
}

/// What an argument is.
#[derive(Clone, Copy, Debug)]
pub enum ArgKind {
    /// A key, of the key spec with this index.
    Key(i32),
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A word without a value, as `NX`.
    PureToken,
    /// One of these.
    OneOf(&'static [Arg]),
    /// All of these.
    Block(&'static [Arg]),
}

impl Arg {
    const fn new(name: &'static str, kind: ArgKind, summary: &'static str) -> Self {
        Self { name, kind, token: None, summary, optional: false, multiple: false }
    }

    /// A key, of the command's only key spec.
    pub const fn key(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, ArgKind::Key(0), summary)
    }

    /// A text.
    pub const fn string(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, ArgKind::String, summary)
    }

    /// A whole number.
    pub const fn integer(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, ArgKind::Integer, summary)
    }

    /// A word without a value, as `NX`.
    pub const fn pure_token(token: &'static str, name: &'static str, summary: &'static str) -> Self {
        Self { token: Some(token), ..Self::new(name, ArgKind::PureToken, summary) }
    }

    /// One of several arguments.
    pub const fn one_of(name: &'static str, choices: &'static [Self]) -> Self {
        Self::new(name, ArgKind::OneOf(choices), "")
    }

    /// Several arguments in a row.
    pub const fn block(name: &'static str, parts: &'static [Self]) -> Self {
        Self::new(name, ArgKind::Block(parts), "")
    }

    /// One or more of them.
    pub const fn multiple(self) -> Self {
        Self { multiple: true, ..self }
    }

    /// With a word before the value.
    pub const fn after(self, token: &'static str) -> Self {
        Self { token: Some(token), ..self }
    }

    /// May be omitted.
    pub const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// How the argument is written in a command's usage.
    pub fn usage(&self) -> String {
        let joined =
            |args: &[Self], separator| args.iter().map(Self::usage).collect::<Vec<_>>().join(separator);
        let value = match self.kind {
            ArgKind::OneOf(choices) => joined(choices, " | "),
            ArgKind::Block(parts) => joined(parts, " "),
            ArgKind::PureToken => String::new(),
            ArgKind::Key(_) | ArgKind::String | ArgKind::Integer => self.name.to_owned(),
        };
        // The first of several needs no word before it, so that it is repeated as it is. The token comes once,
        // before them.
        let value = if self.multiple { format!("{value} [{value} ...]") } else { value };
        let words: Vec<_> =
            self.token.into_iter().chain(Some(&*value).filter(|value| !value.is_empty())).collect();
        let usage = words.join(" ");
        match self.kind {
            _ if self.optional => format!("[{usage}]"),
            ArgKind::OneOf(_) => format!("<{usage}>"),
            _ => usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_as_usage_shows_them() {
        const NX: Arg = Arg::pure_token("NX", "nx", "");
        const MS: Arg = Arg::integer("ms", "").after("PX");
        const PAIR: &[Arg] = &[Arg::string("field", ""), Arg::string("value", "")];
        let cases = [
            (Arg::key("key", ""), "key"),
            (NX, "NX"),
            (MS, "PX ms"),
            (MS.optional(), "[PX ms]"),
            (Arg::one_of("either", &[NX, MS]), "<NX | PX ms>"),
            (Arg::one_of("either", &[NX, MS]).optional(), "[NX | PX ms]"),
            (Arg::string("id", "").multiple(), "id [id ...]"),
            (Arg::string("id", "").after("IDS").multiple(), "IDS id [id ...]"),
            (Arg::block("data", PAIR).multiple(), "field value [field value ...]"),
            (Arg::block("data", PAIR).after("FIELDS").optional(), "[FIELDS field value]"),
        ];
        for (arg, expected) in cases {
            assert_eq!(arg.usage(), expected);
        }
    }
}
