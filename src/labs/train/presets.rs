//! Settings that show something of the lecture.

use super::spec::LAB;
use crate::protocol::settings::Settings;

/// A preset: settings that show something, and when it is to be seen.
#[derive(Debug)]
pub struct Preset {
    /// Its name among the lab's words: of `presets`, and of `watch`, with three things to look at.
    pub name: &'static str,
    /// What is set.
    pub values: &'static [(&'static str, &'static str)],
    /// Steps after which it has happened: training pauses there.
    pub steps: u64,
    /// What is told then.
    pub shows: Shows,
    /// Whether training goes on from where it is, where the networks are those of the preset.
    pub goes_on: bool,
}

/// What a preset is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The gradient that reaches the generator.
    Gradient,
    /// The modes that the samples cover.
    Modes,
}

/// All of them, each failure before its cure.
pub static PRESETS: [Preset; 6] = [
    Preset {
        name: "vanishing",
        values: &[
            ("shape", "ring"),
            ("objective", "minimax"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0"),
            ("steps-d", "10"),
            ("latent", "16"),
        ],
        steps: 100,
        shows: Shows::Gradient,
        goes_on: false,
    },
    Preset {
        name: "vanishing-cure",
        values: &[
            ("shape", "ring"),
            ("objective", "non-saturating"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0"),
            ("steps-d", "10"),
            ("latent", "16"),
        ],
        steps: 100,
        shows: Shows::Gradient,
        goes_on: false,
    },
    // The discriminator is sure: with more than one step of it, the generator would not catch up.
    Preset {
        name: "vanishing-release",
        values: &[
            ("shape", "ring"),
            ("objective", "non-saturating"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0.01"),
            ("steps-d", "1"),
            ("latent", "16"),
        ],
        steps: 800,
        shows: Shows::Modes,
        goes_on: true,
    },
    // The same game twice, but for the normalisation. On a ring, and with other objectives, what collapses
    // heals by itself before long.
    Preset {
        name: "collapse",
        values: &[
            ("shape", "grid"),
            ("objective", "lsgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.003"),
            ("rate-g", "0.001"),
            ("steps-d", "3"),
            ("latent", "2"),
        ],
        steps: 1500,
        shows: Shows::Modes,
        goes_on: false,
    },
    Preset {
        name: "collapse-cure",
        values: &[
            ("shape", "grid"),
            ("objective", "lsgan"),
            ("spectral-norm", "on"),
            ("rate-d", "0.003"),
            ("rate-g", "0.001"),
            ("steps-d", "3"),
            ("latent", "2"),
        ],
        steps: 1500,
        shows: Shows::Modes,
        goes_on: false,
    },
    Preset {
        name: "wgan",
        values: &[
            ("shape", "ring"),
            ("objective", "wgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.002"),
            ("rate-g", "0.001"),
            ("steps-d", "5"),
            ("latent", "2"),
        ],
        steps: 850,
        shows: Shows::Modes,
        goes_on: false,
    },
];

impl Preset {
    /// Whether settings are those of the preset; what it does not set may be anything.
    pub fn is(&self, settings: &Settings) -> bool {
        let is_set = |(name, text): &(&str, &str)| {
            let param = LAB.param(name).expect("a row of the table");
            param.kind.parse(text).as_ref() == Some(settings.get(name))
        };
        self.values.iter().all(is_set)
    }
}

/// The preset of that name.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset that settings are.
pub fn of(settings: &Settings) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.is(settings))
}

/// Reports, or steps, whose mean or median says where training stands: single ones swing.
pub const TELLING: usize = 8;

/// The mean of the last [`TELLING`] values; nothing without any.
pub fn recent_mean(values: impl DoubleEndedIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values.rev().take(TELLING) {
        sum += value;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}

/// The median of the values around a step: of those [`GRADIENT_STEPS`] before and after it. Adam's steps
/// make a discriminator waver.
pub fn median_around(curve: &[[f64; 2]], step: f64) -> Option<f64> {
    let near = curve.iter().filter(|[at, _]| (at - step).abs() <= GRADIENT_STEPS);
    let mut values: Vec<f64> = near.map(|[_, value]| *value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// See [`median_around`].
const GRADIENT_STEPS: f64 = 15.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn set(preset: &Preset) -> Settings {
        Settings::new(&LAB).with(preset.values)
    }

    #[test]
    fn settings_are_those_of_the_preset_that_set_them_and_of_no_other() {
        for preset in &PRESETS {
            let found = of(&set(preset)).map(|found| found.name);
            assert_eq!(found, Some(preset.name));
            assert_eq!(find(preset.name).map(|found| found.name), found);
        }
        assert!(of(&Settings::new(&LAB)).is_none());
        let moved = set(&PRESETS[0]).with(&[("rate-g", "0.001")]);
        assert!(of(&moved).is_none());
        // Another seed is the same lesson.
        assert!(of(&set(&PRESETS[0]).with(&[("seed", "7")])).is_some());
    }

    #[test]
    fn what_goes_on_needs_no_other_networks_than_what_comes_before_it() {
        for pair in PRESETS.windows(2).filter(|pair| pair[1].goes_on) {
            assert!(LAB.waiting(&set(&pair[1]), &set(&pair[0])).is_empty());
        }
        // And a fix is a game begun anew.
        assert!(!LAB.waiting(&set(&PRESETS[1]), &set(&PRESETS[0])).is_empty());
    }

    #[test]
    fn where_training_stands_is_told_by_more_than_one_value() {
        let swings = (0..20).map(|i| if i % 2 == 0 { 2.0 } else { 4.0 });
        assert_eq!(recent_mean(swings), Some(3.0));
        assert_eq!(recent_mean([5.0].into_iter()), Some(5.0));
        assert_eq!(recent_mean(std::iter::empty()), None);
        let curve: Vec<[f64; 2]> = (0..100).map(|i| [f64::from(i), f64::from(i % 3)]).collect();
        assert_eq!(median_around(&curve, 50.0), Some(1.0));
        assert_eq!(median_around(&[], 50.0), None);
    }
}
