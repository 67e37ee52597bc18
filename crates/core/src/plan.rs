//! Plan ids, which the app receives and sends back: bare (`571`) if new pricing issued them, tagged
//! (`571_old`) if old pricing did. A shared toggle says which pricing is in force.

use std::borrow::Cow;

/// The suffix of an id that old pricing issued.
pub const TAG: &str = "_old";

/// The longest bare id, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// Which pricing is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Old pricing only; the default if there is no toggle.
    #[default]
    Old,
    /// New pricing only: old quotes are void.
    New,
    /// New quotes use new pricing; existing old quotes are honoured.
    Both,
    /// Back to old pricing: bare ids are void, because new pricing issued them.
    Back,
}

/// Which pricing handles an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Old pricing.
    Legacy,
    /// New pricing.
    Core,
    /// Neither: the app needs a new quote.
    Retired,
}

/// A plan's id, bare or tagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanId<'a> {
    /// The id without its tag.
    pub bare: &'a [u8],
    /// The id as received.
    text: &'a [u8],
}

impl Mode {
    /// Parses a toggle's value: a number, or a name in any case.
    pub fn parse(value: &[u8]) -> Option<Self> {
        const NAMES: [([&str; 2], Mode); 4] = [
            (["1", "old"], Mode::Old),
            (["2", "new"], Mode::New),
            (["3", "both"], Mode::Both),
            (["4", "back"], Mode::Back),
        ];
        let is_one_of =
            |names: [&str; 2]| names.iter().any(|name| value.eq_ignore_ascii_case(name.as_bytes()));
        NAMES.into_iter().find(|(names, _)| is_one_of(*names)).map(|(_, mode)| mode)
    }

    /// The id to send to the app. A tagged one stays tagged.
    pub fn tag(self, id: PlanId<'_>) -> Cow<'_, [u8]> {
        match self {
            Self::Old | Self::Back if !id.is_tagged() => [id.text, TAG.as_bytes()].concat().into(),
            _ => id.text.into(),
        }
    }

    /// Which pricing handles an id that the app sent back.
    pub fn route(self, id: PlanId<'_>) -> Route {
        match (self, id.is_tagged()) {
            (Self::Old, false) | (Self::Old | Self::Both | Self::Back, true) => Route::Legacy,
            (Self::New | Self::Both, false) => Route::Core,
            (Self::New, true) | (Self::Back, false) => Route::Retired,
        }
    }
}

impl Route {
    /// The route as replies spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "Legacy",
            Self::Core => "Core",
            Self::Retired => "Retired",
        }
    }
}

impl<'a> PlanId<'a> {
    /// Parses an id. The tag doesn't count towards its length, so that the longest id can be tagged.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let bare = text.strip_suffix(TAG.as_bytes()).unwrap_or(text);
        let is_id = (1..=MAX_ID_BYTES).contains(&bare.len()) && std::str::from_utf8(bare).is_ok();
        is_id.then_some(Self { bare, text })
    }

    /// Whether old pricing issued this id.
    pub fn is_tagged(self) -> bool {
        self.bare.len() < self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_toggles() {
        let cases = [
            (&["1", "old", "OLD"], Some(Mode::Old)),
            (&["2", "new", "New"], Some(Mode::New)),
            (&["3", "both", "bOTH"], Some(Mode::Both)),
            (&["4", "back", "BACK"], Some(Mode::Back)),
            (&["", "0", "5"], None),
            (&["01", "+1", "1.0"], None),
            (&["old ", " 1", "3\n"], None),
            (&["12", "1\0", "ol\u{212a}"], None),
        ];
        for (values, expected) in cases {
            for value in values {
                assert_eq!(Mode::parse(value.as_bytes()), expected, "{value:?}");
            }
        }
        assert_eq!(Mode::default(), Mode::Old);
    }

    #[test]
    fn tags_and_routes_by_mode() {
        use Mode::{Back, Both, New, Old};
        use Route::{Core, Legacy, Retired};
        let cases = [
            (Old, "571", "571_old", Legacy),
            (New, "571", "571", Core),
            (Both, "571", "571", Core),
            (Back, "571", "571_old", Retired),
            (Old, "571_old", "571_old", Legacy),
            (New, "571_old", "571_old", Retired),
            (Both, "571_old", "571_old", Legacy),
            (Back, "571_old", "571_old", Legacy),
        ];
        for (mode, text, tagged, route) in cases {
            let id = PlanId::parse(text.as_bytes()).unwrap();
            assert_eq!(&*mode.tag(id), tagged.as_bytes(), "{mode:?} {text}");
            assert_eq!(mode.route(id), route, "{mode:?} {text}");
            assert_eq!(id.bare, b"571");
        }
    }

    #[test]
    fn no_tagged_id_is_retired_while_the_mode_stays() {
        let longest = "x".repeat(MAX_ID_BYTES);
        for mode in [Mode::Old, Mode::New, Mode::Both, Mode::Back] {
            for text in ["5", "Ā", "_ol", "_OLD", &longest] {
                let id = PlanId::parse(text.as_bytes()).unwrap();
                let sent = mode.tag(id);
                let back = PlanId::parse(&sent).unwrap();
                assert_eq!(back.bare, id.bare, "{mode:?} {text}");
                assert_ne!(mode.route(back), Route::Retired, "{mode:?} {text}");
            }
        }
    }

    #[test]
    fn parses_ids() {
        let (longest, too_long) = ("x".repeat(MAX_ID_BYTES), "x".repeat(MAX_ID_BYTES + 1));
        type Bare<'a> = Option<(&'a str, bool)>;
        let cases: &[(&[u8], Bare<'_>)] = &[
            (b"571", Some(("571", false))),
            (b"571_old", Some(("571", true))),
            (b"571_OLD", Some(("571_OLD", false))),
            (b"571_old ", Some(("571_old ", false))),
            (b"571old", Some(("571old", false))),
            (b"571_old_old", Some(("571_old", true))),
            (b"__old", Some(("_", true))),
            (b" ", Some((" ", false))),
            (longest.as_bytes(), Some((&longest, false))),
            (&[longest.as_bytes(), TAG.as_bytes()].concat(), Some((&longest, true))),
            (b"", None),
            (b"_old", None),
            (b"\xff", None),
            (b"\xff_old", None),
            (too_long.as_bytes(), None),
            (&[too_long.as_bytes(), TAG.as_bytes()].concat(), None),
        ];
        for (text, expected) in cases {
            let id = PlanId::parse(text).map(|id| (id.bare, id.is_tagged()));
            assert_eq!(id, expected.map(|(bare, tagged)| (bare.as_bytes(), tagged)), "{text:?}");
        }
    }
}
