//! Settings that show something of the lecture.

/// A preset: its name among the lab's words, and what is set.
pub type Preset = (&'static str, &'static [(&'static str, &'static str)]);

/// All of them, each failure before its cure.
pub const PRESETS: [Preset; 6] = [
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
    (
        "collapse",
        &[
            ("shape", "ring"),
            ("objective", "non-saturating"),
            ("spectral-norm", "off"),
            ("rate-d", "0.0005"),
            ("rate-g", "0.005"),
            ("steps-d", "1"),
        ],
    ),
    (
        "collapse-cure",
        &[
            ("shape", "ring"),
            ("objective", "hinge"),
            ("spectral-norm", "on"),
            ("rate-d", "0.002"),
            ("rate-g", "0.001"),
            ("steps-d", "2"),
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
    (
        "lsgan",
        &[
            ("shape", "grid"),
            ("objective", "lsgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.003"),
            ("rate-g", "0.001"),
            ("steps-d", "3"),
        ],
    ),
];

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
