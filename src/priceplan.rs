//! A plan's id goes out to the app and comes back: bare, as `571`, for new pricing, or with the tag of old pricing, `571_old`.
//! Which is in force is said by a toggle that all share.

use std::borrow::Cow;

/// What marks an id of old pricing.
pub const TAG: &str = "_old";

/// The longest bare id, in bytes; the shortest has one.
pub const LONGEST_ID: usize = 256;

/// Which pricing is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Old alone, also where there is no toggle.
    #[default]
    Old,
    /// New alone: what old pricing gave out is void.
    New,
    /// New, and what old pricing gave out goes by it.
    Both,
    /// Old again after ids of new pricing went out, which must not be priced as old ones.
    Back,
}

/// Which pricing an id goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Old pricing.
    Legacy,
    /// New pricing.
    Core,
    /// Neither: a new quote is due.
    Retired,
}

/// A plan's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanId<'a> {
    /// The id without its tag.
    pub bare: &'a [u8],
    /// The id as it came.
    text: &'a [u8],
}

impl Mode {
    /// The mode that a toggle's value means: a number or a word, in any case.
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

    /// The id to send out. One that is tagged stays so.
    pub fn tag(self, id: PlanId<'_>) -> Cow<'_, [u8]> {
        match self {
            Self::Old | Self::Back if !id.is_tagged() => [id.text, TAG.as_bytes()].concat().into(),
            _ => id.text.into(),
        }
    }

    /// Which pricing an id that came back goes to.
    pub fn route(self, id: PlanId<'_>) -> Route {
        match (self, id.is_tagged()) {
            (Self::Old, false) | (Self::Old | Self::Both | Self::Back, true) => Route::Legacy,
            (Self::New | Self::Both, false) => Route::Core,
            (Self::New, true) | (Self::Back, false) => Route::Retired,
        }
    }
}

impl Route {
    /// The name that is answered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "Legacy",
            Self::Core => "Core",
            Self::Retired => "Retired",
        }
    }
}

impl<'a> PlanId<'a> {
    /// The id these bytes are. The tag does not count to its length, so that what was tagged can come back.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let bare = text.strip_suffix(TAG.as_bytes()).unwrap_or(text);
        let is_id = (1..=LONGEST_ID).contains(&bare.len()) && std::str::from_utf8(bare).is_ok();
        is_id.then_some(Self { bare, text })
    }

    /// Whether it has the tag of old pricing.
    pub fn is_tagged(self) -> bool {
        self.bare.len() < self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_toggle_means() {
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
    fn what_is_sent_out_and_where_it_goes() {
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

    /// A bare id that was sent out can come back, and is not retired while the mode stays.
    #[test]
    fn what_is_sent_out_comes_back() {
        let longest = "x".repeat(LONGEST_ID);
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
    fn what_is_an_id() {
        let (longest, too_long) = ("x".repeat(LONGEST_ID), "x".repeat(LONGEST_ID + 1));
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
