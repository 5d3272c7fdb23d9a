//! The share link: a lab, its settings and a sample, in the fragment of the address.
//!
//! `#/detect?v=1&p=cat&s=0.55`. Only settings that differ from their default are written.
//! Decoding never fails: what is unknown or out of range is dropped with a notice. What a messenger, an
//! editor or a sentence around it did to a link is undone.

use serde::{Deserialize, Serialize};

use super::lab::{self, LabSpec};
use super::samples::{self, Sample};
use super::settings::Settings;

/// Version of the format.
const VERSION: &str = "1";
/// Longest link that is read, in bytes.
pub const MAX_BYTES: usize = 2048;
/// Key of the sample picture.
const SAMPLE_KEY: &str = "p";
/// Key of the page that shows the lab alone, large, as on a projector or in a frame.
const PRESENT_KEY: &str = "present";
/// What networks and newsletters hang on links to follow who opens them, and how such keys begin.
const TRACKING: &[&str] = &[
    "fbclid",
    "gclid",
    "dclid",
    "gbraid",
    "wbraid",
    "msclkid",
    "yclid",
    "ttclid",
    "twclid",
    "igsh",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "ref_src",
    "si",
];
const TRACKING_PREFIXES: &[&str] = &["utm_", "pk_", "mtm_"];
/// What a sentence may put around a link.
const BRACKETS: [[char; 2]; 4] = [['(', ')'], ['[', ']'], ['{', '}'], ['<', '>']];
/// What a sentence may put behind one. No value of ours ends so, unless it is escaped.
const SENTENCE_ENDS: &[char] = &[
    '.', ',', ';', ':', '!', '?', '\'', '"', '*', '…', '’', '”', '»', '。', '，', '！', '？',
];

/// What a link restores.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The lab's settings.
    pub settings: Settings,
    /// The sample, if the picture was one; a visitor's own picture cannot travel in a link.
    pub sample: Option<&'static Sample>,
    /// Whether the lab is shown alone and large: on a projector, in a frame of another page.
    pub present: bool,
}

impl Shared {
    /// A lab's settings alone.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            sample: None,
            present: false,
        }
    }
}

/// Something in a link that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The link is longer than [`MAX_BYTES`].
    TooLong,
    /// A newer Kiln made it.
    NewerVersion,
    /// No such setting, sample or value; the part of the link that was dropped.
    Dropped(String),
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// The front page.
    Home,
    /// The model cards.
    Models,
    /// A lab, as the link left it.
    Lab(Shared),
}

/// Writes the fragment of a link, with its `#`.
pub fn encode(shared: &Shared) -> String {
    let mut link = format!("#/{}?v={VERSION}", shared.settings.lab().name);
    if let Some(sample) = shared.sample {
        link += &format!("&{SAMPLE_KEY}={}", sample.name);
    }
    for (param, value) in shared.settings.iter() {
        if *value != param.kind.default_value() {
            let text = param.kind.format(value);
            let text = percent_encoding::utf8_percent_encode(&text, ESCAPED);
            link += &format!("&{}={text}", param.key);
        }
    }
    if shared.present {
        link += &format!("&{PRESENT_KEY}=1");
    }
    // The end of a link is told from the end of the sentence that it stands in.
    if let Some(last) = link.pop() {
        match SENTENCE_ENDS.contains(&last) || BRACKETS.iter().any(|pair| pair[1] == last) {
            true => link.extend(percent_encoding::utf8_percent_encode(
                last.encode_utf8(&mut [0; 4]),
                percent_encoding::NON_ALPHANUMERIC,
            )),
            false => link.push(last),
        }
    }
    link
}

/// Whether a key of a query follows visitors and says nothing about the page.
fn is_tracking(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    TRACKING.contains(&&*key)
        || TRACKING_PREFIXES
            .iter()
            .any(|prefix| key.starts_with(prefix))
}

/// The part of an address before its fragment, without what follows visitors.
pub fn without_tracking(address: &str) -> String {
    let address = address.split('#').next().unwrap_or_default();
    let Some((path, query)) = address.split_once('?') else {
        return address.into();
    };
    let key = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
    let kept: Vec<_> = query
        .split('&')
        .filter(|part| !part.is_empty() && !is_tracking(&key(part)))
        .collect();
    match kept.is_empty() {
        true => path.into(),
        false => format!("{path}?{}", kept.join("&")),
    }
}

/// A link without what the sentence around it left at its end: punctuation, and brackets and quotes that
/// were opened before it.
fn trim_sentence(mut link: &str) -> &str {
    loop {
        let trimmed = link.trim_end().trim_end_matches(SENTENCE_ENDS);
        let count = |bracket: char| trimmed.matches(bracket).count();
        let closes = BRACKETS
            .into_iter()
            .find(|&[open, close]| trimmed.ends_with(close) && count(close) > count(open));
        let trimmed = match closes {
            Some([_, close]) => trimmed.strip_suffix(close).unwrap_or(trimmed),
            None => trimmed,
        };
        if trimmed.len() == link.len() {
            return link;
        }
        link = trimmed;
    }
}

/// Reads the fragment of a link, as it stands in the address, for some labs. An unknown page is the
/// front page, with a notice.
pub fn decode(labs: &[&'static LabSpec], fragment: &str) -> (Route, Vec<Notice>) {
    if fragment.len() > MAX_BYTES {
        return (Route::Home, vec![Notice::TooLong]);
    }
    let fragment = trim_sentence(fragment);
    // Where a link was escaped as a whole on its way, its parts are told apart only after that.
    let fragment = match fragment.contains('?') {
        true => fragment.into(),
        false => unescape(fragment),
    };
    let path = fragment.trim_start_matches('#').trim_start_matches('/');
    // Where nothing was set, what follows visitors may come without a question mark.
    let (name, query) = path.split_once(['?', '&']).unwrap_or((path, ""));
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    let Some(lab) = lab::find(labs, &name) else {
        return match &*name {
            "" => (Route::Home, vec![]),
            "models" => (Route::Models, vec![]),
            other => (Route::Home, vec![dropped(other)]),
        };
    };
    let mut shared = Shared::new(Settings::new(lab));
    let mut notices = Vec::new();
    for part in query.split('&') {
        // `&` as HTML writes it; in a value of ours it is escaped.
        let part = part.trim_start_matches("amp;");
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if part.is_empty() || is_tracking(key) {
            continue;
        }
        let value = &*unescape(value);
        // Quotes and brackets around a link are escaped with it by browsers: what is no value with them
        // may be one without.
        let bare = value.trim_matches(|c: char| !c.is_alphanumeric());
        let mut take = |value: &str| match key {
            "v" => {
                if value != VERSION {
                    notices.push(Notice::NewerVersion);
                }
                true
            }
            SAMPLE_KEY => {
                shared.sample = samples::find(value);
                shared.sample.is_some()
            }
            PRESENT_KEY => {
                shared.present = value == "1";
                matches!(value, "0" | "1")
            }
            _ => match lab.params.iter().find(|param| param.key == key) {
                Some(param) => shared.settings.set_text(param.name, value),
                None => false,
            },
        };
        if !take(value) && !take(bare) {
            notices.push(dropped(part));
        }
    }
    (Route::Lab(shared), notices)
}

/// What is escaped in a value: what ends it, and what no address holds as it is. Commas, colons and
/// slashes stay, so that links stay readable.
const ESCAPED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'`');

fn unescape(text: &str) -> std::borrow::Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

/// A notice of at most forty characters, so that a hostile link cannot fill the page.
fn dropped(part: &str) -> Notice {
    Notice::Dropped(part.chars().filter(|c| !c.is_control()).take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::lab::Wing;
    use crate::protocol::param::{Kind, Param, number};

    static LAB: LabSpec = LabSpec {
        name: "lab",
        verb: "lab",
        about: "",
        wing: Wing::Detection,
        topics: &[],
        tasks: &[],
        params: &[
            Param::new("score", "s", number(0.05, 0.95, 0.01, 0.4), ""),
            Param::new("iou", "o", number(0.0, 1.0, 0.05, 0.5), ""),
            Param::new("words", "t", Kind::Text { default: "" }, ""),
        ],
        network: None,
        uses_picture: true,
        starts_by_itself: true,
        warms_up: false,
        example: "",
    };
    const LABS: &[&LabSpec] = &[&LAB];

    #[test]
    fn defaults_make_a_short_link() {
        let shared = Shared {
            settings: Settings::new(&LAB),
            sample: samples::find("cat"),
            present: false,
        };
        assert_eq!(encode(&shared), "#/lab?v=1&p=cat");
    }

    #[test]
    fn a_presentation_is_a_link_like_another() {
        let shared = Shared {
            settings: Settings::new(&LAB).with(&[("score", "0.55")]),
            sample: samples::find("cat"),
            present: true,
        };
        let link = encode(&shared);
        assert_eq!(link, "#/lab?v=1&p=cat&s=0.55&present=1");
        assert_eq!(decode(LABS, &link), (Route::Lab(shared.clone()), vec![]));
        let (off, notices) = decode(LABS, &link.replace("present=1", "present=0"));
        let plain = Shared {
            present: false,
            ..shared
        };
        assert_eq!((off, notices), (Route::Lab(plain), vec![]));
        let (_, notices) = decode(LABS, "#/lab?v=1&present=yes");
        assert_eq!(notices, [dropped("present=yes")]);
    }

    #[test]
    fn strange_links_are_read_with_notices() {
        let decode = |text: &str| decode(LABS, text);
        assert_eq!(decode(""), (Route::Home, vec![]));
        assert_eq!(decode("#/nowhere"), (Route::Home, vec![dropped("nowhere")]));
        assert_eq!(
            decode(&"x".repeat(5000)),
            (Route::Home, vec![Notice::TooLong])
        );
        let (route, notices) = decode("#/lab?v=9&p=https://evil.example/x.png&s=12&o=abc&zz=1");
        let Route::Lab(shared) = route else {
            panic!("a lab")
        };
        assert_eq!(shared.sample, None);
        assert_eq!(
            shared.settings,
            Settings::new(&LAB).with(&[("score", "0.95")])
        );
        assert_eq!(notices.len(), 4);
    }

    #[test]
    fn a_link_is_read_as_meant_whatever_was_done_to_it() {
        let meant = Shared {
            settings: Settings::new(&LAB).with(&[("score", "0.55")]),
            sample: samples::find("cat"),
            present: false,
        };
        let link = encode(&meant);
        assert_eq!(link, "#/lab?v=1&p=cat&s=0.55");
        for sent in [
            format!("{link}."),
            format!("{link}).)"),
            format!("{link}>,"),
            format!("{link}!\u{201d}"),
            link.replace('&', "&amp;"),
            link.replace('&', "&amp;amp;"),
            link.replace("#/lab", "#/Lab"),
            link.replace("#/lab", "#lab/"),
            link.replace("#/lab", "#/LAB//"),
            format!("{link}&fbclid=IwAR0&utm_source=news"),
            link.replace("v=1", "v=1&gclid=1"),
            link.replace("p=cat", "p=cat%20"),
            link.replace("p=cat", "p='cat'"),
            format!("{link}%22%3E"),
        ] {
            assert_eq!(
                decode(LABS, &sent),
                (Route::Lab(meant.clone()), vec![]),
                "{sent}"
            );
        }
        let bare = Route::Lab(Shared::new(Settings::new(&LAB)));
        for sent in ["#/Lab/", "#/lab.", "#/lab?fbclid=1", "#/lab&utm_source=x"] {
            assert_eq!(decode(LABS, sent), (bare.clone(), vec![]), "{sent}");
        }
        assert_eq!(decode(LABS, "#/Models/."), (Route::Models, vec![]));
        assert_eq!(decode(LABS, "#/?utm_source=x"), (Route::Home, vec![]));
        // What cannot be meant is said.
        let (_, notices) = decode(LABS, "#/lab?v=1&p=kat");
        assert_eq!(notices, [dropped("p=kat")]);
    }

    #[test]
    fn what_follows_visitors_is_not_handed_on() {
        for (address, kept) in [
            ("https://x.example/?fbclid=1#/lab", "https://x.example/"),
            (
                "https://x.example/k/?backend=cpu&UTM_Source=a&si=2",
                "https://x.example/k/?backend=cpu",
            ),
            (
                "https://x.example/k/index.html",
                "https://x.example/k/index.html",
            ),
        ] {
            assert_eq!(without_tracking(address), kept);
        }
    }

    #[test]
    fn text_travels_whatever_stands_in_it() {
        for text in [
            "0.2*channel(3,20) - 0.01*tv",
            "0.2*channel(3,20)",
            "a)",
            "Is it so?",
            "a.",
            "a&b=c#d%41",
            "amp;b",
            "狗 & 猫",
            "狗。",
        ] {
            let shared = Shared::new(Settings::new(&LAB).with(&[("words", text)]));
            let link = encode(&shared);
            assert_eq!(
                decode(LABS, &link),
                (Route::Lab(shared.clone()), vec![]),
                "{link}"
            );
            // A messenger may escape the whole once more.
            let again =
                percent_encoding::utf8_percent_encode(&link, percent_encoding::NON_ALPHANUMERIC);
            assert_eq!(
                decode(LABS, &again.to_string()),
                (Route::Lab(shared), vec![]),
                "{link}"
            );
        }
    }
}
