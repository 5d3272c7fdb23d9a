//! The rows of a lab's parameter table: each setting is declared once.
//!
//! Controls, share link, command-line flags, validation and docs are all read from it.

use super::settings::Settings;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Name on the command line, in exported JSON, and of its words.
    pub name: &'static str,
    /// Name in a share link: one or two letters.
    pub key: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it does, in English, for the command line. The page has words of its own, and its
    /// program none of these.
    #[cfg(feature = "native")]
    pub help: &'static str,
    /// What a change of it causes.
    pub causes: Effect,
    /// The panel that it stands in, or the term of the formula that it belongs to; no control is made
    /// by itself where it is empty.
    pub group: &'static str,
    /// When there is a control for it; always where there is none.
    pub shows: Option<fn(&Settings) -> bool>,
    /// The largest number that the other settings leave sense to, where that is less than its range says: a network may
    /// have fewer layers than the largest one. The page keeps within it.
    pub most: Option<fn(&Settings) -> f32>,
    /// Whether only the page has a use for it: then it is no flag of the command.
    pub page_only: bool,
    /// Whether it says something of the picture on the stage: with another one it is the default again.
    pub of_picture: bool,
    /// The number that the page begins with, where that is not the default: links leave the default out,
    /// and those that were shared go on meaning it.
    pub opens: Option<f32>,
}

/// What a change of a setting causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The page draws what it has in another way, or asks by itself.
    Redraw,
    /// The engine makes something else of what it has: no new run.
    Refine,
    /// A new run.
    Rerun,
    /// Work under way takes it over at its next step.
    Adjust,
    /// Work under way keeps what it began with; the next start uses it.
    Restart,
}

impl Param {
    /// A row that causes nothing but drawing and stands in no panel.
    pub const fn new(
        name: &'static str,
        key: &'static str,
        kind: Kind,
        #[cfg_attr(not(feature = "native"), allow(unused_variables))] help: &'static str,
    ) -> Self {
        Self {
            name,
            key,
            kind,
            #[cfg(feature = "native")]
            help,
            causes: Effect::Redraw,
            group: "",
            shows: None,
            most: None,
            page_only: false,
            of_picture: false,
            opens: None,
        }
    }

    /// The same, with what a change causes.
    pub const fn causes(mut self, causes: Effect) -> Self {
        self.causes = causes;
        self
    }

    /// The same, in a panel.
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// The same, with a control only where the other settings say so.
    pub const fn shows(mut self, shows: fn(&Settings) -> bool) -> Self {
        self.shows = Some(shows);
        self
    }

    /// The same, with a largest number by the other settings.
    pub const fn most(mut self, most: fn(&Settings) -> f32) -> Self {
        self.most = Some(most);
        self
    }

    /// The same, of no use to the command line.
    pub const fn page_only(mut self) -> Self {
        self.page_only = true;
        self
    }

    /// The same, about the picture on the stage.
    pub const fn of_picture(mut self) -> Self {
        self.of_picture = true;
        self
    }

    /// The same, with another number than the default where the page begins.
    pub const fn opens(mut self, number: f32) -> Self {
        self.opens = Some(number);
        self
    }
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
    /// One of very many words, to be searched for. The first is the default; the others have numbers from 0, by which they
    /// may be called, too.
    Search(&'static [&'static str]),
    /// A word that is known at run time alone, such as the name of a file of the visitor's; empty for
    /// none, which is the default. At most [`TEXT_MAX`] bytes.
    Open,
    /// A line of text of at most [`TEXT_MAX`] bytes.
    Text {
        /// What a fresh visitor sees.
        default: &'static str,
    },
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

/// Most bytes of a [`Kind::Text`] or [`Kind::Open`]: a few of them fit into a link.
pub const TEXT_MAX: usize = 200;

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
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Value {
    /// Of a [`Kind::Number`], a multiple of its step.
    Number(f32),
    /// Index into the words of a [`Kind::Choice`] or a [`Kind::Search`].
    Choice(usize),
    /// Of a [`Kind::Color`].
    Color([u8; 3]),
    /// Of a [`Kind::Mix`].
    Mix(Mix),
    /// Of a [`Kind::Row`].
    Row(Row),
    /// Of a [`Kind::Text`] or a [`Kind::Open`].
    Text(String),
}

/// A number from `min` to `max` in steps of `step`.
pub const fn number(min: f32, max: f32, step: f32, default: f32) -> Kind {
    Kind::Number {
        min,
        max,
        step,
        default,
    }
}

/// One of the variants of an enum; the first is the default.
pub const fn choice<T: strum::VariantNames>() -> Kind {
    Kind::Choice(T::VARIANTS)
}

impl Kind {
    /// The words of a [`Kind::Choice`] or a [`Kind::Search`]; none of the others.
    pub fn words(&self) -> &'static [&'static str] {
        match *self {
            Self::Choice(words) | Self::Search(words) => words,
            Self::Number { .. }
            | Self::Open
            | Self::Text { .. }
            | Self::Color(_)
            | Self::Mix { .. }
            | Self::Row { .. } => &[],
        }
    }

    /// The value that a fresh visitor sees.
    pub fn default_value(&self) -> Value {
        match *self {
            Self::Number { default, .. } => Value::Number(default),
            Self::Choice(_) | Self::Search(_) => Value::Choice(0),
            Self::Open => Value::Text(String::new()),
            Self::Text { default } => Value::Text(default.into()),
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
            Self::Search(words) => {
                let numbered = || text.parse::<usize>().ok()?.checked_add(1);
                let place = words.iter().position(|&w| w == text).or_else(numbered);
                place
                    .filter(|&place| place < words.len())
                    .map(Value::Choice)
            }
            Self::Open | Self::Text { .. } => is_line(text).then(|| Value::Text(text.into())),
            Self::Color(_) => parse_color(text).map(Value::Color),
            Self::Mix { of, .. } => parse_mix(text, of).map(Value::Mix),
            Self::Row { of } => parse_row(text, of).map(Value::Row),
        }
    }

    /// Writes a value so that [`parse`](Self::parse) reads the same one.
    pub fn format(&self, value: &Value) -> String {
        match (self, value) {
            (Self::Number { step, .. }, Value::Number(n)) => format!("{n:.*}", decimals(*step)),
            (Self::Choice(words) | Self::Search(words), &Value::Choice(index)) => {
                words[index.min(words.len() - 1)].into()
            }
            (Self::Open | Self::Text { .. }, Value::Text(text)) => text.clone(),
            (Self::Color(_), Value::Color([r, g, b])) => format!("{r:02x}{g:02x}{b:02x}"),
            (Self::Mix { .. }, Value::Mix(mix)) => format_mix(mix),
            (Self::Row { .. }, Value::Row(row)) => format_row(row),
            // A value of another kind.
            (
                Self::Number { .. }
                | Self::Choice(_)
                | Self::Search(_)
                | Self::Open
                | Self::Text { .. }
                | Self::Color(_)
                | Self::Mix { .. }
                | Self::Row { .. },
                _,
            ) => self.format(&self.default_value()),
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
            (Self::Choice(words) | Self::Search(words), Value::Choice(index))
                if index < words.len() =>
            {
                Value::Choice(index)
            }
            (Self::Open | Self::Text { .. }, Value::Text(text)) if is_line(&text) => {
                Value::Text(text)
            }
            (Self::Color(_), Value::Color(color)) => Value::Color(color),
            (&Self::Mix { of, .. }, Value::Mix(mix)) if mix.iter().any(|&w| w > 0) => {
                clamp_mix(mix, of).map_or_else(|| self.default_value(), Value::Mix)
            }
            (&Self::Row { of }, Value::Row(mut row)) => {
                row[of..].fill(0);
                let limit = (ROW_LIMIT * ROW_STEPS) as i8;
                Value::Row(row.map(|steps| steps.clamp(-limit, limit)))
            }
            // A value of another kind, or one that is none.
            (
                Self::Number { .. }
                | Self::Choice(_)
                | Self::Search(_)
                | Self::Open
                | Self::Text { .. }
                | Self::Color(_)
                | Self::Mix { .. }
                | Self::Row { .. },
                _,
            ) => self.default_value(),
        }
    }
}

/// Whether a text is one that a [`Kind::Text`] takes: short, and without control characters.
fn is_line(text: &str) -> bool {
    text.len() <= TEXT_MAX && !text.chars().any(char::is_control)
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
        assert_eq!(kind.format(&mix(&[(1, 100), (4, 50)])), "1:100,4:50");
    }

    #[test]
    fn rows_are_clamped_and_end_at_their_last_number() {
        let kind = Kind::Row { of: 3 };
        assert_eq!(kind.parse("0"), Some(kind.default_value()));
        let row = kind.parse("0,9,-0.26").unwrap();
        assert_eq!(kind.format(&row), "0,4,-0.25");
        assert_eq!(kind.format(&kind.parse("1.5,0,0").unwrap()), "1.5");
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
    fn lines_of_text_are_short_and_have_no_control_characters() {
        let kind = Kind::Text { default: "0.5*x" };
        assert_eq!(kind.default_value(), Value::Text("0.5*x".into()));
        assert_eq!(kind.parse("a & b"), Some(Value::Text("a & b".into())));
        assert_eq!(kind.parse("a\nb"), None);
        assert_eq!(kind.parse(&"x".repeat(TEXT_MAX + 1)), None);
        assert_eq!(
            kind.clamp(Value::Text("\u{7}".into())),
            kind.default_value()
        );
        assert_eq!(Kind::Open.default_value(), Value::Text(String::new()));
        assert_eq!(
            Kind::Open.clamp(Value::Choice(1)),
            Kind::Open.default_value()
        );
    }

    #[test]
    fn a_choice_of_many_is_read_like_one_of_few() {
        let kind = Kind::Search(&["best", "tabby", "tiger cat"]);
        assert_eq!(kind.parse("tiger cat"), Some(Value::Choice(2)));
        assert_eq!(kind.format(&Value::Choice(2)), "tiger cat");
        assert_eq!(kind.clamp(Value::Choice(3)), Value::Choice(0));
        // By their numbers.
        assert_eq!(kind.parse("0"), Some(Value::Choice(1)));
        assert_eq!(kind.parse("1"), Some(Value::Choice(2)));
        for wrong in ["2", "-1", "1.5", "lynx", "", "18446744073709551615"] {
            assert_eq!(kind.parse(wrong), None, "{wrong}");
        }
    }
}
