//! The share link: a lab, its settings and a sample, in the fragment of the address.
//!
//! `#/detect?v=1&p=cat&s=0.55`. Only settings that differ from their default are written.
//! Decoding never fails: what is unknown or out of range is dropped with a notice.

use serde::{Deserialize, Serialize};

use super::params::Lab;
use super::samples::{self, Sample};
use super::settings::Settings;

/// Version of the format.
const VERSION: &str = "1";
/// Longest link that is read, in bytes.
pub const MAX_BYTES: usize = 2048;
/// Key of the sample picture.
const SAMPLE_KEY: &str = "p";

/// What a link restores.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The lab's settings.
    pub settings: Settings,
    /// The sample, if the picture was one; a visitor's own picture cannot travel in a link.
    pub sample: Option<&'static Sample>,
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
    let mut link = format!("#/{}?v={VERSION}", shared.settings.lab().name());
    if let Some(sample) = shared.sample {
        link += &format!("&{SAMPLE_KEY}={}", sample.name);
    }
    for (param, value) in shared.settings.iter() {
        if value != param.kind.default_value() {
            link += &format!("&{}={}", param.key, param.kind.format(value));
        }
    }
    link
}

/// Reads the fragment of a link. An unknown page is the front page, with a notice.
pub fn decode(fragment: &str) -> (Route, Vec<Notice>) {
    if fragment.len() > MAX_BYTES {
        return (Route::Home, vec![Notice::TooLong]);
    }
    let path = fragment.trim_start_matches('#').trim_start_matches('/');
    let (name, query) = path.split_once('?').unwrap_or((path, ""));
    let Some(lab) = Lab::from_name(name) else {
        return match name {
            "" => (Route::Home, vec![]),
            "models" => (Route::Models, vec![]),
            other => (Route::Home, vec![dropped(other)]),
        };
    };
    let mut shared = Shared {
        settings: Settings::new(lab),
        sample: None,
    };
    let mut notices = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let known = match key {
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
            _ => match lab.params().iter().find(|param| param.key == key) {
                Some(param) => shared.settings.set_text(param.name, value),
                None => false,
            },
        };
        if !known {
            notices.push(dropped(part));
        }
    }
    (Route::Lab(shared), notices)
}

/// A notice of at most forty characters, so that a hostile link cannot fill the page.
fn dropped(part: &str) -> Notice {
    Notice::Dropped(part.chars().filter(|c| !c.is_control()).take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::params::{Kind, MIX_MAX, Value};
    use proptest::prelude::*;

    fn any_shared() -> impl Strategy<Value = Shared> {
        (
            0..Lab::ALL.len(),
            proptest::option::of(0..samples::SAMPLES.len()),
            proptest::collection::vec(any::<u32>(), 24),
        )
            .prop_map(|(lab, sample, draws)| {
                let lab = Lab::ALL[lab];
                let mut settings = Settings::new(lab);
                for (param, draw) in lab.params().iter().zip(draws) {
                    let value = match param.kind {
                        Kind::Number { min, max, .. } => {
                            Value::Number(min + (max - min) * (draw as f32 / u32::MAX as f32))
                        }
                        Kind::Choice(words) => Value::Choice(draw as usize % words.len()),
                        Kind::Mix { of, .. } => {
                            let mut mix = [0; MIX_MAX];
                            mix[draw as usize % of] = 1 + (draw >> 8) as u8 % 100;
                            mix[(draw >> 16) as usize % of] = (draw >> 24) as u8;
                            Value::Mix(mix)
                        }
                        Kind::Row { .. } => Value::Row(std::array::from_fn(|i| {
                            (draw.rotate_left(i as u32 * 5) & 0xff) as u8 as i8
                        })),
                        Kind::Color(_) => {
                            Value::Color([draw as u8, (draw >> 8) as u8, (draw >> 16) as u8])
                        }
                    };
                    settings.set(param.name, value);
                }
                Shared {
                    settings,
                    sample: sample.map(|i| &samples::SAMPLES[i]),
                }
            })
    }

    #[test]
    fn defaults_make_a_short_link() {
        let shared = Shared {
            settings: Settings::new(Lab::Detect),
            sample: samples::find("cat"),
        };
        assert_eq!(encode(&shared), "#/detect?v=1&p=cat");
    }

    #[test]
    fn strange_links_are_read_with_notices() {
        assert_eq!(decode(""), (Route::Home, vec![]));
        assert_eq!(decode("#/nowhere"), (Route::Home, vec![dropped("nowhere")]));
        assert_eq!(
            decode(&"x".repeat(5000)),
            (Route::Home, vec![Notice::TooLong])
        );
        let (route, notices) = decode("#/detect?v=9&p=https://evil.example/x.png&s=12&o=abc&zz=1");
        let Route::Lab(shared) = route else {
            panic!("a lab")
        };
        assert_eq!(shared.sample, None);
        assert_eq!(shared.settings.number("score"), 0.95); // clamped
        assert_eq!(shared.settings.number("iou"), 0.5); // default
        assert_eq!(notices.len(), 4);
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(shared in any_shared()) {
            let link = encode(&shared);
            prop_assert!(link.len() <= MAX_BYTES);
            prop_assert_eq!(decode(&link), (Route::Lab(shared), vec![]));
        }

        #[test]
        fn any_text_decodes(text in "\\PC{0,300}") {
            let _ = decode(&text);
        }

        #[test]
        fn any_query_gives_valid_settings(query in "[a-z0-9=&.#%-]{0,80}") {
            for lab in Lab::ALL {
                let (route, _) = decode(&format!("#/{}?{query}", lab.name()));
                let Route::Lab(shared) = route else { panic!("a lab") };
                for (param, value) in shared.settings.iter() {
                    prop_assert_eq!(param.kind.clamp(value), value);
                }
            }
        }
    }

    /// A million random fragments, in a third of a second.
    #[test]
    fn a_million_random_fragments_decode() {
        // A small linear congruential generator (Knuth, MMIX): any stream of bytes will do.
        let mut state = 1u64;
        let mut next = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) as u32
        };
        let pieces = [
            "#/detect?",
            "#/segment?",
            "v=1",
            "&s=",
            "&o=",
            "&p=",
            "&c=",
            "&e=",
            "0.5",
            "-",
            "1e",
            "é",
            "%",
            "=",
            "cat",
            "\u{0}",
        ];
        let mut labs = 0;
        for _ in 0..1_000_000 {
            let mut text = String::new();
            for _ in 0..next() % 8 {
                if next() % 4 == 0 {
                    text.push(char::from_u32(next() % 0x11_0000).unwrap_or('?'));
                } else {
                    text += pieces[next() as usize % pieces.len()];
                }
            }
            if let (Route::Lab(shared), _) = decode(&text) {
                labs += 1;
                assert_eq!(decode(&encode(&shared)), (Route::Lab(shared), vec![]));
            }
        }
        assert!(labs > 10_000, "the loop reached the labs only {labs} times");
    }
}
