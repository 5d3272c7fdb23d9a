//! The parameter table: each setting of a lab is declared once.
//!
//! Controls, share link, command-line flags, validation and docs are all read from it.

/// A lab: one page, one command, one kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lab {
    /// Boxes around objects.
    Detect,
    /// A person cut out of the picture.
    Segment,
    /// The picture repainted in one pass.
    Stylize,
    /// The picture repainted by a search, step by step.
    Gatys,
    /// A texture like an example, from noise.
    Texture,
    /// What a layer sees in the picture, grown until it shows.
    Dream,
    /// Pictures from latent sliders.
    Sample,
    /// Pictures to codes and back, by autoencoders and by inverting a GAN.
    Encode,
    /// An adversarial pair in training.
    Train,
    /// How far two densities are apart.
    Divergence,
    /// IS and FID.
    Scores,
}

impl Lab {
    /// All labs, in the order of the page's navigation.
    pub const ALL: [Self; 11] = [
        Self::Detect,
        Self::Segment,
        Self::Stylize,
        Self::Gatys,
        Self::Texture,
        Self::Dream,
        Self::Sample,
        Self::Encode,
        Self::Train,
        Self::Divergence,
        Self::Scores,
    ];

    /// Name in links, commands and translations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Segment => "segment",
            Self::Stylize => "stylize",
            Self::Gatys => "gatys",
            Self::Texture => "texture",
            Self::Dream => "dream",
            Self::Sample => "sample",
            Self::Encode => "encode",
            Self::Train => "train",
            Self::Divergence => "divergence",
            Self::Scores => "scores",
        }
    }

    /// The lab of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lab| lab.name() == name)
    }

    /// Settings of the lab, in the order in which the method uses them.
    pub fn params(self) -> &'static [Param] {
        match self {
            Self::Detect => crate::labs::detect::spec::PARAMS,
            Self::Segment => crate::labs::segment::spec::PARAMS,
            Self::Stylize => crate::labs::stylize::spec::PARAMS,
            Self::Gatys => crate::labs::search::spec::GATYS_PARAMS,
            Self::Texture => crate::labs::search::spec::TEXTURE_PARAMS,
            Self::Dream => crate::labs::search::spec::DREAM_PARAMS,
            Self::Sample => crate::labs::generate::spec::SAMPLE_PARAMS,
            Self::Encode => crate::labs::generate::spec::ENCODE_PARAMS,
            Self::Train => crate::labs::generate::spec::TRAIN_PARAMS,
            Self::Divergence => crate::labs::generate::spec::DIVERGENCE_PARAMS,
            Self::Scores => crate::labs::generate::spec::SCORES_PARAMS,
        }
    }

    /// The manifest entry of the network that the lab runs; of the generative labs, which choose one by
    /// a setting, the first.
    pub fn model(self) -> &'static str {
        match self {
            Self::Detect => "ssd",
            Self::Segment => "selfie",
            Self::Stylize => "multistyle26",
            Self::Gatys | Self::Texture | Self::Dream => crate::labs::search::spec::NETWORK,
            _ => crate::labs::generate::spec::SHIPPED[0].name,
        }
    }

    /// Whether the lab makes pictures of its own instead of working on the visitor's, and asks the
    /// engine by [`crate::labs::generate::ask::Ask`] instead of by runs.
    pub fn generates(self) -> bool {
        matches!(
            self,
            Self::Sample | Self::Encode | Self::Train | Self::Divergence | Self::Scores
        )
    }

    /// Whether a run takes many steps, can be paused and goes on from where it was. Such a lab waits
    /// for the visitor to start it.
    pub fn takes_steps(self) -> bool {
        matches!(self, Self::Gatys | Self::Texture | Self::Dream)
    }
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Name on the command line and in exported JSON.
    pub name: &'static str,
    /// Name in a share link: one or two letters.
    pub key: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it does, in English, for the command line. The page has its own translations.
    pub help: &'static str,
}

/// The values that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number from `min` to `max` in steps of `step`.
    Number {
        min: f32,
        max: f32,
        step: f32,
        default: f32,
    },
    /// One of some words; the first is the default.
    Choice(&'static [&'static str]),
    /// An opaque sRGB colour.
    Color([u8; 3]),
    /// A mixture of some things that have numbers: `12`, or `3:50,12:50` with weights.
    Mix {
        /// How many things there are, numbered from 0; at most [`MIX_MAX`].
        of: usize,
        /// The one that a fresh visitor sees, alone.
        default: usize,
    },
    /// A row of numbers from -4 to 4 in steps of a twentieth, all 0 by default: `0,1.5,-0.25`. What is
    /// 0 at the end is not written.
    Row {
        /// How many numbers there are; at most [`ROW_MAX`].
        of: usize,
    },
}

/// Most numbers of a [`Kind::Row`].
pub const ROW_MAX: usize = 12;
/// Largest number of a [`Kind::Row`].
pub const ROW_LIMIT: f32 = 4.0;
/// Steps of a [`Kind::Row`] in 1.
pub const ROW_STEPS: f32 = 20.0;

/// Numbers in steps of a [`ROW_STEPS`]-th.
pub type Row = [i8; ROW_MAX];

/// Most things that a [`Kind::Mix`] mixes.
pub const MIX_MAX: usize = 26;

/// Weights in percent of the largest; 0 is not in the mixture, and at least one is not 0.
pub type Mix = [u8; MIX_MAX];

/// A mixture of one thing.
pub fn only(index: usize) -> Mix {
    let mut mix = [0; MIX_MAX];
    mix[index] = 100;
    mix
}

/// A value of a setting, always one that its [`Kind`] allows.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Value {
    /// Of a [`Kind::Number`], a multiple of its step.
    Number(f32),
    /// Index into the words of a [`Kind::Choice`].
    Choice(usize),
    /// Of a [`Kind::Color`].
    Color([u8; 3]),
    /// Of a [`Kind::Mix`].
    Mix(Mix),
    /// Of a [`Kind::Row`].
    Row(Row),
}

impl Kind {
    /// The value that a fresh visitor sees.
    pub fn default_value(&self) -> Value {
        match *self {
            Self::Number { default, .. } => Value::Number(default),
            Self::Choice(_) => Value::Choice(0),
            Self::Color(color) => Value::Color(color),
            Self::Mix { default, .. } => Value::Mix(only(default)),
            Self::Row { .. } => Value::Row([0; ROW_MAX]),
        }
    }

    /// Reads a value. Numbers are clamped to the range and rounded to the step; anything that
    /// is no value of this kind is `None`.
    pub fn parse(&self, text: &str) -> Option<Value> {
        match *self {
            Self::Number { .. } => {
                let number: f32 = text.parse().ok().filter(|n: &f32| n.is_finite())?;
                Some(self.clamp(Value::Number(number)))
            }
            Self::Choice(words) => words.iter().position(|&w| w == text).map(Value::Choice),
            Self::Color(_) => parse_color(text).map(Value::Color),
            Self::Mix { of, .. } => parse_mix(text, of).map(Value::Mix),
            Self::Row { of } => parse_row(text, of).map(Value::Row),
        }
    }

    /// Writes a value so that [`parse`](Self::parse) reads the same one.
    pub fn format(&self, value: Value) -> String {
        match (self, value) {
            (Self::Number { step, .. }, Value::Number(n)) => format!("{n:.*}", decimals(*step)),
            (Self::Choice(words), Value::Choice(index)) => words[index.min(words.len() - 1)].into(),
            (_, Value::Color([r, g, b])) => format!("{r:02x}{g:02x}{b:02x}"),
            (Self::Mix { .. }, Value::Mix(mix)) => format_mix(&mix),
            (Self::Row { .. }, Value::Row(row)) => format_row(&row),
            _ => self.format(self.default_value()),
        }
    }

    /// The nearest value that this kind allows; the default if `value` is of another kind.
    pub fn clamp(&self, value: Value) -> Value {
        match (self, value) {
            (&Self::Number { min, max, step, .. }, Value::Number(n)) if n.is_finite() => {
                // Counted in steps, so that equal settings are equal numbers.
                let steps = ((n.clamp(min, max) - min) / step).round();
                let text = format!("{:.*}", decimals(step), min + steps * step);
                Value::Number(text.parse::<f32>().unwrap_or(min).clamp(min, max))
            }
            (Self::Choice(words), Value::Choice(index)) if index < words.len() => value,
            (Self::Color(_), Value::Color(_)) => value,
            (&Self::Mix { of, .. }, Value::Mix(mix)) if mix.iter().any(|&w| w > 0) => {
                clamp_mix(mix, of).map_or_else(|| self.default_value(), Value::Mix)
            }
            (&Self::Row { of }, Value::Row(mut row)) => {
                row[of..].fill(0);
                let limit = (ROW_LIMIT * ROW_STEPS) as i8;
                Value::Row(row.map(|steps| steps.clamp(-limit, limit)))
            }
            _ => self.default_value(),
        }
    }
}

/// Digits after the point that a step of this size needs.
pub fn decimals(step: f32) -> usize {
    (0..4)
        .find(|&d| (step * 10f32.powi(d) - (step * 10f32.powi(d)).round()).abs() < 1e-4)
        .unwrap_or(4) as usize
}

/// Reads `rrggbb`, with or without a leading `#`.
pub fn parse_color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([byte(0)?, byte(2)?, byte(4)?])
}

/// Scaled so that the largest weight is 100; `None` where nothing is left.
fn clamp_mix(mut mix: Mix, of: usize) -> Option<Mix> {
    mix[of..].fill(0);
    let largest = u32::from(*mix.iter().max().expect("not empty"));
    if largest == 0 {
        return None;
    }
    Some(mix.map(|weight| ((u32::from(weight) * 100 + largest / 2) / largest) as u8))
}

/// Reads `12` or `3:50,12:50`. Weights are numbers above 0; a thing that comes twice counts twice.
fn parse_mix(text: &str, of: usize) -> Option<Mix> {
    let mut weights = [0f32; MIX_MAX];
    for part in text.split(',') {
        let (index, weight) = match part.split_once(':') {
            Some((index, weight)) => (index, weight.parse().ok()?),
            None => (part, 100.0),
        };
        let index: usize = index.parse().ok().filter(|&index| index < of)?;
        if !(weight > 0.0 && weight <= 1e6) {
            return None;
        }
        weights[index] += weight;
    }
    let largest = weights.iter().copied().fold(0.0, f32::max);
    Some(weights.map(|weight| (weight / largest * 100.0).round() as u8))
}

/// Reads `0,1.5,-0.25`: at most `of` numbers, clamped and rounded to the step.
fn parse_row(text: &str, of: usize) -> Option<Row> {
    let mut row = [0; ROW_MAX];
    for (index, part) in text.split(',').enumerate() {
        let number: f32 = part.parse().ok().filter(|n: &f32| n.is_finite())?;
        if index >= of {
            return None;
        }
        row[index] = row_steps(number);
    }
    Some(row)
}

/// The nearest step of a [`Kind::Row`].
pub fn row_steps(number: f32) -> i8 {
    (number.clamp(-ROW_LIMIT, ROW_LIMIT) * ROW_STEPS).round() as i8
}

fn format_row(row: &Row) -> String {
    let written = row
        .iter()
        .rposition(|&steps| steps != 0)
        .map_or(1, |i| i + 1);
    let numbers = row[..written]
        .iter()
        .map(|&steps| f32::from(steps) / ROW_STEPS);
    numbers.map(|n| n.to_string()).collect::<Vec<_>>().join(",")
}

fn format_mix(mix: &Mix) -> String {
    let parts: Vec<_> = (0..).zip(mix).filter(|(_, weight)| **weight > 0).collect();
    match parts[..] {
        [(only, _)] => only.to_string(),
        _ => parts
            .iter()
            .map(|(index, weight)| format!("{index}:{weight}"))
            .collect::<Vec<_>>()
            .join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTHS: Kind = Kind::Number {
        min: 0.0,
        max: 1.0,
        step: 0.1,
        default: 0.5,
    };

    #[test]
    fn numbers_are_clamped_and_rounded_to_the_step() {
        assert_eq!(TENTHS.parse("0.44"), Some(Value::Number(0.4)));
        assert_eq!(TENTHS.parse("7"), Some(Value::Number(1.0)));
        assert_eq!(TENTHS.parse("-1e9"), Some(Value::Number(0.0)));
        assert_eq!(TENTHS.parse("NaN"), None);
        assert_eq!(TENTHS.parse("inf"), None);
        assert_eq!(TENTHS.parse(""), None);
    }

    #[test]
    fn choices_and_colors_refuse_what_they_do_not_know() {
        let choice = Kind::Choice(&["a", "b"]);
        assert_eq!(choice.parse("b"), Some(Value::Choice(1)));
        assert_eq!(choice.parse("c"), None);
        assert_eq!(choice.clamp(Value::Choice(9)), Value::Choice(0));
        let color = Kind::Color([0, 0, 0]);
        assert_eq!(color.parse("#ff8000"), Some(Value::Color([255, 128, 0])));
        assert_eq!(color.parse("ff80"), None);
        assert_eq!(color.parse("ééé"), None);
    }

    #[test]
    fn mixtures_are_scaled_to_their_largest_weight() {
        let kind = Kind::Mix { of: 5, default: 2 };
        let mix = |pairs: &[(usize, u8)]| {
            let mut mix = [0; MIX_MAX];
            for &(index, weight) in pairs {
                mix[index] = weight;
            }
            Value::Mix(mix)
        };
        assert_eq!(kind.parse("3"), Some(mix(&[(3, 100)])));
        assert_eq!(kind.parse("1:0.5,4:0.25"), Some(mix(&[(1, 100), (4, 50)])));
        assert_eq!(kind.parse("1:30,1:30"), Some(mix(&[(1, 100)])));
        for bad in [
            "", "5", "1:", "1:0", "1:-1", "1:inf", "1:NaN", "x", "1,,2", "1:1:1",
        ] {
            assert_eq!(kind.parse(bad), None, "{bad}");
        }
        assert_eq!(
            kind.clamp(mix(&[(0, 10), (1, 5), (9, 200)])),
            mix(&[(0, 100), (1, 50)])
        );
        assert_eq!(kind.clamp(mix(&[])), mix(&[(2, 100)]));
        assert_eq!(kind.clamp(mix(&[(9, 7)])), mix(&[(2, 100)]));
        assert_eq!(kind.format(mix(&[(1, 100), (4, 50)])), "1:100,4:50");
    }

    #[test]
    fn rows_are_clamped_and_end_at_their_last_number() {
        let kind = Kind::Row { of: 3 };
        assert_eq!(kind.parse("0"), Some(kind.default_value()));
        let row = kind.parse("0,9,-0.26").unwrap();
        assert_eq!(kind.format(row), "0,4,-0.25");
        assert_eq!(kind.format(kind.parse("1.5,0,0").unwrap()), "1.5");
        for bad in ["", "x", "1,", "NaN", "1,2,3,4", "inf"] {
            assert_eq!(kind.parse(bad), None, "{bad}");
        }
        let mut over = [i8::MIN; ROW_MAX];
        over[0] = i8::MAX;
        let Value::Row(held) = kind.clamp(Value::Row(over)) else {
            panic!("a row")
        };
        assert_eq!(held[..4], [80, -80, -80, 0]);
    }

    #[test]
    fn names_and_keys_are_unique_in_each_lab() {
        for lab in Lab::ALL {
            for pick in [|p: &Param| p.name, |p: &Param| p.key] {
                let mut seen: Vec<_> = lab.params().iter().map(pick).collect();
                seen.sort_unstable();
                let count = seen.len();
                seen.dedup();
                assert_eq!(seen.len(), count, "{} repeats a name or key", lab.name());
            }
        }
    }

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        for lab in Lab::ALL {
            for param in lab.params() {
                let default = param.kind.default_value();
                assert_eq!(param.kind.clamp(default), default, "{}", param.name);
                assert_eq!(
                    param.kind.parse(&param.kind.format(default)),
                    Some(default),
                    "{}",
                    param.name
                );
            }
        }
    }
}
