//! Settings that show something of the lecture.

/// A preset: its name among the lab's words, and what is set.
pub type Preset = (&'static str, &'static [(&'static str, &'static str)]);

/// All of them, each failure before its cure.
pub const PRESETS: [Preset; 5] = [
    (
        "vanishing",
        &[
            ("shape", "ring"),
            ("objective", "minimax"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0"),
            ("steps-d", "10"),
        ],
    ),
    (
        "vanishing-cure",
        &[
            ("shape", "ring"),
            ("objective", "non-saturating"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0"),
            ("steps-d", "10"),
        ],
    ),
    // The same game twice, but for the normalisation. On a ring, and with other objectives, what collapses
    // heals by itself before long.
    (
        "collapse",
        &[
            ("shape", "grid"),
            ("objective", "lsgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.003"),
            ("rate-g", "0.001"),
            ("steps-d", "3"),
        ],
    ),
    (
        "collapse-cure",
        &[
            ("shape", "grid"),
            ("objective", "lsgan"),
            ("spectral-norm", "on"),
            ("rate-d", "0.003"),
            ("rate-g", "0.001"),
            ("steps-d", "3"),
        ],
    ),
    (
        "wgan",
        &[
            ("shape", "ring"),
            ("objective", "wgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.002"),
            ("rate-g", "0.001"),
            ("steps-d", "5"),
        ],
    ),
];

/// What the preset of that name sets.
pub fn values(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    let named = PRESETS.iter().find(|(other, _)| *other == name);
    named.map(|(_, values)| *values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::train::spec::LAB;
    use crate::protocol::settings::Settings;

    #[test]
    fn every_preset_sets_what_it_says() {
        for (name, values) in PRESETS {
            let mut settings = Settings::new(&LAB);
            for (setting, text) in values {
                assert!(settings.set_text(setting, text), "{name}: {setting}");
            }
        }
    }
}
