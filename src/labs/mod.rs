//! The labs: a folder and a row each. Nothing above this folder knows one of them by name.

pub mod generate;
pub mod search;
pub mod truth;

use crate::protocol::lab::LabSpec;

/// A lab, as each program needs it.
pub struct Lab {
    /// Its name, its place in the course, its settings.
    pub spec: &'static LabSpec,
    /// Makes its side of the engine; none where the page computes everything itself.
    #[cfg(feature = "engine")]
    pub engine: Option<fn() -> Box<dyn crate::engine::lab::LabEngine>>,
    /// Its page.
    #[cfg(feature = "page")]
    pub page: crate::page::state::Room,
    /// Its command; none where there is nothing to do on files.
    #[cfg(feature = "native")]
    pub command: Option<crate::command::CommandRow>,
}

macro_rules! labs {
    ($($lab:ident),* $(,)?) => {
        $(pub mod $lab;)*

        /// All labs, in the order of the navigation.
        pub const LABS: &[Lab] = &[$($lab::LAB),*];

        /// What everyone may know of them.
        pub const SPECS: &[&LabSpec] = &[$(&$lab::spec::LAB),*];
    };
}

// One row a lab.
labs! {
    detect,
    compare,
    propose,
    segment,
    activations,
    explain,
    stylize,
    gatys,
    texture,
    dream,
    ascent,
    fooling,
    inversion,
    embedding,
    sample,
    encode,
    train,
    divergence,
    scores,
}

/// The labs' sides of the engine.
#[cfg(feature = "engine")]
pub fn engines() -> Vec<crate::engine::lab::EngineRow> {
    let rows = LABS.iter().filter_map(|lab| {
        let make = lab.engine?;
        Some(crate::engine::lab::EngineRow {
            spec: lab.spec,
            make,
        })
    });
    rows.collect()
}

/// The labs' pages.
#[cfg(feature = "page")]
pub fn pages() -> Vec<crate::page::state::PageRow> {
    let rows = LABS.iter().map(|lab| crate::page::state::PageRow {
        spec: lab.spec,
        room: lab.page,
    });
    rows.collect()
}

/// The commands of the labs, and of what several of them share.
#[cfg(feature = "native")]
pub fn commands() -> Vec<crate::command::CommandRow> {
    let rows = LABS.iter().filter_map(|lab| lab.command);
    rows.chain([
        detect::evaluate::ROW,
        generate::publish::ROW,
        explain::command::OCCLUDE,
    ])
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::link::{self, MAX_BYTES, Route, Shared};
    use crate::protocol::param::{Kind, MIX_MAX, Param, Value};
    use crate::protocol::samples;
    use crate::protocol::settings::Settings;
    use proptest::prelude::*;

    #[test]
    fn names_and_keys_are_unique_in_each_lab() {
        for lab in SPECS {
            for pick in [|p: &Param| p.name, |p: &Param| p.key] {
                let mut seen: Vec<_> = lab.params.iter().map(pick).collect();
                seen.sort_unstable();
                let count = seen.len();
                seen.dedup();
                assert_eq!(seen.len(), count, "{} repeats a name or key", lab.name);
            }
            // Version and sample of a link.
            assert!(
                lab.params.iter().all(|p| !["v", "p"].contains(&p.key)),
                "{}",
                lab.name
            );
        }
    }

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        for lab in SPECS {
            for param in lab.params {
                let default = param.kind.default_value();
                assert_eq!(param.kind.clamp(default.clone()), default, "{}", param.name);
                assert_eq!(
                    param.kind.parse(&param.kind.format(&default)),
                    Some(default),
                    "{}",
                    param.name
                );
            }
        }
    }

    #[test]
    fn every_topic_is_one_of_the_course_and_every_example_a_link() {
        for lab in SPECS {
            for topic in lab.topics {
                assert!(lab.wing.topics().contains(topic), "{topic}");
            }
            let link = lab.fragment(lab.example);
            let (route, notices) = link::decode(SPECS, &link);
            assert!(matches!(route, Route::Lab(_)), "{link}");
            assert_eq!(notices, [], "{link}");
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn every_network_has_a_card() {
        let manifest = crate::protocol::card::Manifest::shipped();
        let of_labs = SPECS.iter().filter_map(|lab| lab.network);
        let generative = crate::protocol::generative::MODEL_NAMES;
        for name in of_labs.chain(generative) {
            assert!(manifest.find(name).is_some(), "{name} has no card");
        }
    }

    /// The command of a lab, with something for each argument that it needs and these flags.
    #[cfg(feature = "native")]
    fn told(lab: &'static LabSpec, flags: &[String]) -> Settings {
        let mut rows = commands().into_iter().map(|row| (row.flags)());
        let command = rows.find(|command| command.get_name() == lab.verb);
        let command = command.unwrap_or_else(|| panic!("{} has no command", lab.name));
        command.clone().debug_assert();
        let needed: Vec<_> = command
            .get_arguments()
            .filter(|a| a.is_required_set())
            .collect();
        let line = std::iter::once(lab.verb.to_string()).chain(flags.iter().cloned());
        let line = line.chain(needed.iter().flat_map(|argument| {
            let flag = argument.get_long().map(|long| format!("--{long}"));
            flag.into_iter().chain(["x.png".to_string()])
        }));
        let line: Vec<String> = line.collect();
        let matches = command.try_get_matches_from(line);
        let matches = matches.unwrap_or_else(|refused| panic!("{}: {refused}", lab.name));
        crate::command::cli::settings(lab, &matches)
    }

    #[cfg(feature = "native")]
    #[test]
    fn every_setting_of_every_command_is_a_flag_with_its_default() {
        let mut walked = 0;
        for lab in SPECS {
            let has_command = commands()
                .iter()
                .any(|row| (row.flags)().get_name() == lab.verb);
            if !has_command {
                continue;
            }
            assert_eq!(told(lab, &[]), Settings::new(lab), "{}", lab.name);
            for param in lab.params.iter().filter(|param| !param.page_only) {
                let default = param.kind.default_value();
                let other = (1..100u32)
                    .map(|n| any_value(&param.kind, n.wrapping_mul(0x9e37_79b9)))
                    .map(|value| param.kind.clamp(value))
                    .find(|value| *value != default);
                // A choice of one word has no other.
                let Some(other) = other else { continue };
                let mut expected = Settings::new(lab);
                expected.set(param.name, other.clone());
                let flag = format!("--{}={}", param.name, param.kind.format(&other));
                assert_eq!(
                    told(lab, std::slice::from_ref(&flag)),
                    expected,
                    "{}: {flag}",
                    lab.name
                );
                walked += 1;
            }
        }
        assert!(walked > 40, "only {walked} settings were flags");
    }

    fn any_shared() -> impl Strategy<Value = Shared> {
        (
            0..SPECS.len(),
            proptest::option::of(0..samples::SAMPLES.len()),
            proptest::collection::vec(any::<u32>(), 24),
            any::<bool>(),
        )
            .prop_map(|(lab, sample, draws, present)| {
                let lab = SPECS[lab];
                let mut settings = Settings::new(lab);
                for (param, draw) in lab.params.iter().zip(draws) {
                    settings.set(param.name, any_value(&param.kind, draw));
                }
                Shared {
                    settings,
                    sample: sample.map(|i| &samples::SAMPLES[i]),
                    present,
                }
            })
    }

    fn any_value(kind: &Kind, draw: u32) -> Value {
        match *kind {
            Kind::Number { min, max, .. } => {
                Value::Number(min + (max - min) * (draw as f32 / u32::MAX as f32))
            }
            Kind::Choice(words) | Kind::Search(words) => Value::Choice(draw as usize % words.len()),
            Kind::Open | Kind::Text { .. } => Value::Text(format!("{draw} & {draw}")),
            Kind::Mix { of, .. } => {
                let mut mix = [0; MIX_MAX];
                mix[draw as usize % of] = 1 + (draw >> 8) as u8 % 100;
                mix[(draw >> 16) as usize % of] = (draw >> 24) as u8;
                Value::Mix(mix)
            }
            Kind::Row { .. } => Value::Row(std::array::from_fn(|i| {
                (draw.rotate_left(i as u32 * 5) & 0xff) as u8 as i8
            })),
            Kind::Color(_) => Value::Color([draw as u8, (draw >> 8) as u8, (draw >> 16) as u8]),
        }
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(shared in any_shared()) {
            let link = link::encode(&shared);
            prop_assert!(link.len() <= MAX_BYTES);
            prop_assert_eq!(link::decode(SPECS, &link), (Route::Lab(shared), vec![]));
        }

        #[test]
        fn any_text_decodes(text in "\\PC{0,300}") {
            let _ = link::decode(SPECS, &text);
        }

        #[test]
        fn any_query_gives_valid_settings(query in "[a-z0-9=&.#%-]{0,80}") {
            for lab in SPECS {
                let (route, _) = link::decode(SPECS, &format!("#/{}?{query}", lab.name));
                let Route::Lab(shared) = route else { panic!("a lab") };
                for (param, value) in shared.settings.iter() {
                    prop_assert_eq!(&param.kind.clamp(value.clone()), value);
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
            if let (Route::Lab(shared), _) = link::decode(SPECS, &text) {
                labs += 1;
                let again = link::decode(SPECS, &link::encode(&shared));
                assert_eq!(again, (Route::Lab(shared), vec![]));
            }
        }
        assert!(labs > 10_000, "the loop reached the labs only {labs} times");
    }
}
