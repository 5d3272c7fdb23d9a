//! The settings of one lab, a value for each row of its table; and the lab's own, typed view of them.

use serde::{Deserialize, Serialize};

use super::lab::{self, LabSpec};
use super::param::{MIX_MAX, Mix, Param, ROW_MAX, ROW_STEPS, Row, Value};

/// Values of a lab's settings. Each is one that the table allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    lab: &'static LabSpec,
    values: Vec<Value>,
}

/// Settings as they travel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    /// Name of the lab.
    pub lab: String,
    /// A value for each row of its table.
    pub values: Vec<Value>,
}

impl Settings {
    /// The defaults of a lab.
    pub fn new(lab: &'static LabSpec) -> Self {
        Self {
            lab,
            values: lab.params.iter().map(|p| p.kind.default_value()).collect(),
        }
    }

    /// What a lab's page begins with.
    pub fn opening(lab: &'static LabSpec) -> Self {
        let mut settings = Self::new(lab);
        for param in lab.params {
            if let Some(number) = param.opens {
                settings.set(param.name, Value::Number(number));
            }
        }
        settings
    }

    /// Whose settings these are.
    pub fn lab(&self) -> &'static LabSpec {
        self.lab
    }

    /// The same, to be sent.
    pub fn pack(&self) -> Packed {
        Packed {
            lab: self.lab.name.into(),
            values: self.values.clone(),
        }
    }

    /// What was sent; `None` where no lab has such settings. Values out of range are moved to the
    /// nearest that the table allows.
    pub fn unpack(labs: &[&'static LabSpec], packed: Packed) -> Option<Self> {
        let lab = lab::find(labs, &packed.lab)?;
        if packed.values.len() != lab.params.len() {
            return None;
        }
        let rows = lab.params.iter().zip(packed.values);
        let values = rows.map(|(param, value)| param.kind.clamp(value)).collect();
        Some(Self { lab, values })
    }

    fn position(&self, name: &str) -> usize {
        self.lab
            .params
            .iter()
            .position(|p| p.name == name)
            .unwrap_or_else(|| panic!("{} has no setting {name}", self.lab.name))
    }

    /// The value of a setting. Panics on a name that is not in the table: that is a bug.
    pub fn get(&self, name: &str) -> &Value {
        &self.values[self.position(name)]
    }

    /// The word of a choice by name; see [`get`](Self::get).
    pub fn word(&self, name: &str) -> &'static str {
        let position = self.position(name);
        match self.values[position] {
            Value::Choice(index) => self.lab.params[position].kind.words()[index],
            ref other => panic!("{name} is {other:?}, not a choice"),
        }
    }

    /// Sets a value, moved to the nearest that the table allows.
    pub fn set(&mut self, name: &str, value: Value) {
        let position = self.position(name);
        self.values[position] = self.lab.params[position].kind.clamp(value);
    }

    /// Sets a value from text. `false`, and nothing changed, where the text is no such value.
    pub fn set_text(&mut self, name: &str, text: &str) -> bool {
        let position = self.position(name);
        match self.lab.params[position].kind.parse(text) {
            Some(value) => {
                self.values[position] = value;
                true
            }
            None => false,
        }
    }

    /// The same with some settings from text, for presets and tests. Panics on what the table does not
    /// allow: that is a bug.
    pub fn with(mut self, texts: &[(&str, &str)]) -> Self {
        for (name, text) in texts {
            assert!(self.set_text(name, text), "{name} cannot be {text}");
        }
        self
    }

    /// Rows of the table with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Param, &Value)> + '_ {
        self.lab.params.iter().zip(&self.values)
    }

    /// Whether there is a control for a setting, as the others stand.
    pub fn shows(&self, param: &Param) -> bool {
        param.shows.is_none_or(|shows| shows(self))
    }

    /// The largest number that a setting of the kind may have, as the others stand.
    pub fn most(&self, param: &Param) -> Option<f32> {
        param.most.map(|most| most(self))
    }

    /// Brings numbers within what the other settings leave sense to, in the order of the table: those that bound
    /// others stand before them.
    pub fn keep_within(&mut self) {
        for (position, param) in self.lab.params.iter().enumerate() {
            if let (Some(most), &Value::Number(number)) = (self.most(param), &self.values[position])
                && number > most
            {
                self.values[position] = param.kind.clamp(Value::Number(most));
            }
        }
    }

    /// The lab's own view. Panics on settings of another lab: that is a bug.
    pub fn read<T: Typed>(&self) -> T {
        let names = |params: &'static [Param]| params.iter().map(|param| param.name);
        assert!(
            names(self.lab.params).eq(names(T::PARAMS)),
            "the settings of {} are read as those of another lab",
            self.lab.name
        );
        T::from_values(&self.values)
    }
}

/// A struct with a field for each row of a lab's table; made by [`settings!`](crate::settings).
pub trait Typed: Sized {
    /// The table.
    const PARAMS: &'static [Param];
    /// The fields from a value for each row.
    fn from_values(values: &[Value]) -> Self;
}

/// What a field of [`Typed`] settings can be. A value of another kind is a bug of the table and panics.
pub trait Field: Sized {
    /// The field from a value of its row.
    fn from_value(value: &Value) -> Self;
}

fn wrong(value: &Value, wanted: &str) -> ! {
    panic!("{value:?} is no {wanted}")
}

impl Field for f32 {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Number(number) => *number,
            other => wrong(other, "number"),
        }
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {
        $(impl Field for $type {
            fn from_value(value: &Value) -> Self {
                // The table's ranges are of whole numbers that fit.
                f32::from_value(value) as $type
            }
        })*
    };
}
whole_numbers!(usize, u8, u32, u64);

impl Field for [u8; 3] {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Color(color) => *color,
            other => wrong(other, "colour"),
        }
    }
}

impl Field for String {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Text(text) => text.clone(),
            other => wrong(other, "text"),
        }
    }
}

/// The numbers of a [`Kind::Row`](super::param::Kind::Row).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers(pub [f32; ROW_MAX]);

/// The numbers of a row.
pub fn numbers(row: &Row) -> [f32; ROW_MAX] {
    row.map(|steps| f32::from(steps) / ROW_STEPS)
}

impl Field for Numbers {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Row(row) => Self(numbers(row)),
            other => wrong(other, "row"),
        }
    }
}

/// The weights of a [`Kind::Mix`](super::param::Kind::Mix); they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares(pub [f32; MIX_MAX]);

/// The weights of a mixture, which sum to 1.
pub fn shares(mix: &Mix) -> [f32; MIX_MAX] {
    let sum: f32 = mix.iter().map(|&weight| f32::from(weight)).sum();
    mix.map(|weight| f32::from(weight) / sum)
}

impl Field for Shares {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Mix(mix) => Self(shares(mix)),
            other => wrong(other, "mixture"),
        }
    }
}

/// The index into the words of a [`Kind::Search`](super::param::Kind::Search).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found(pub usize);

impl Field for Found {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Choice(index) => Self(*index),
            other => wrong(other, "choice"),
        }
    }
}

/// Reads a choice as the enum that its words come from.
pub fn variant<T: strum::VariantArray + Copy>(value: &Value) -> T {
    match value {
        Value::Choice(index) => T::VARIANTS[*index],
        other => wrong(other, "choice"),
    }
}

/// An enum whose variants are the words of a [`Kind::Choice`], in kebab case, in this order.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::VariantNames, strum::VariantArray, strum::IntoStaticStr, strum::EnumString)]
        #[strum(serialize_all = "kebab-case")]
        $vis enum $name { $( $(#[$variant_meta])* $variant ),* }

        impl $crate::protocol::settings::Field for $name {
            fn from_value(value: &$crate::protocol::param::Value) -> Self {
                $crate::protocol::settings::variant(value)
            }
        }
    };
}

/// A lab's settings: a struct with a field for each row of the parameter table, and the table.
///
/// A row is `field ("name", "key"): Type = kind, "help", column(value), ...;`. `NAMES.field` is the
/// name of a row, so that a misspelt one does not compile.
#[macro_export]
macro_rules! settings {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $(#[$field_meta:meta])* $field:ident ($text:literal, $key:literal): $type:ty = $kind:expr, $help:expr $(, $column:ident ( $($argument:expr)? ))* ; )*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $( #[doc = concat!("Row `", $text, "` of [`PARAMS`].")] $(#[$field_meta])* pub $field: $type ),*
        }

        impl $crate::protocol::settings::Typed for $name {
            const PARAMS: &'static [$crate::protocol::param::Param] = PARAMS;

            fn from_values(values: &[$crate::protocol::param::Value]) -> Self {
                let mut values = values.iter();
                let mut next = || values.next().expect("a value for each row");
                Self { $( $field: $crate::protocol::settings::Field::from_value(next()) ),* }
            }
        }

        /// The table.
        pub const PARAMS: &[$crate::protocol::param::Param] = &[
            $( $crate::protocol::param::Param::new($text, $key, $kind, $help)$(.$column($($argument)?))* ),*
        ];

        /// Names of the rows.
        #[derive(Debug, Clone, Copy)]
        pub struct Names {
            $( #[doc = concat!("`", $text, "`.")] pub $field: &'static str ),*
        }

        /// Names of the rows.
        pub const NAMES: Names = Names { $( $field: $text ),* };
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::lab::Wing;
    use crate::protocol::param::{Effect, Kind, choice, number};

    choices! {
        /// How it is painted.
        pub enum Way { Quick, VerySlow }
    }

    settings! {
        /// Settings of a lab of this test.
        pub struct Mine {
            size ("size", "n"): usize = number(1.0, 9.0, 1.0, 4.0), "how large", causes(Effect::Rerun), group("picture"), opens(6.0);
            way ("way", "w"): Way = choice::<Way>(), "how it is painted", page_only();
            name ("name", "t"): String = Kind::Text { default: "x" }, "what it is called";
            row ("row", "z"): Numbers = Kind::Row { of: 3 }, "some numbers";
            part ("part", "p"): usize = number(0.0, 9.0, 1.0, 5.0), "which part", most(|s| s.read::<Mine>().size as f32);
        }
    }

    static LAB: LabSpec = LabSpec {
        name: "mine",
        verb: "mine",
        about: "",
        wing: Wing::Detection,
        topics: &[],
        tasks: &[],
        params: PARAMS,
        network: None,
        uses_picture: true,
        starts_by_itself: true,
        warms_up: false,
        example: "",
    };

    #[test]
    fn numbers_are_bounded_by_others() {
        let mut settings = Settings::new(&LAB);
        settings.keep_within();
        assert_eq!(*settings.get(NAMES.part), Value::Number(4.0));
        settings.set(NAMES.size, Value::Number(9.0));
        settings.keep_within();
        assert_eq!(settings.read::<Mine>().part, 4);
        settings.set(NAMES.size, Value::Number(2.0));
        settings.keep_within();
        assert_eq!(settings.read::<Mine>().part, 2);
    }

    #[test]
    fn fields_follow_their_rows() {
        let mut settings = Settings::new(&LAB);
        let mine: Mine = settings.read();
        assert_eq!((mine.size, mine.way, &*mine.name), (4, Way::Quick, "x"));
        assert!(settings.set_text(NAMES.way, "very-slow"));
        settings.set(NAMES.size, Value::Number(77.0));
        assert!(settings.set_text(NAMES.row, "0,1.5") && settings.set_text(NAMES.name, "x"));
        let mine: Mine = settings.read();
        assert_eq!((mine.size, mine.way), (9, Way::VerySlow));
        assert_eq!(mine.row.0[..3], [0.0, 1.5, 0.0]);
        assert_eq!(settings.word(NAMES.way), "very-slow");
    }

    #[test]
    fn a_page_may_begin_beside_the_default() {
        let opening: Mine = Settings::opening(&LAB).read();
        let default: Mine = Settings::new(&LAB).read();
        assert_eq!((opening.size, default.size), (6, 4));
        assert_eq!(opening.name, default.name);
    }

    #[test]
    fn columns_are_kept() {
        assert_eq!(PARAMS[0].causes, Effect::Rerun);
        assert_eq!(PARAMS[0].group, "picture");
        assert!(PARAMS[1].page_only && !PARAMS[0].page_only);
    }

    #[test]
    fn what_is_sent_arrives_and_what_does_not_fit_is_refused() {
        let settings = Settings::new(&LAB).with(&[(NAMES.size, "7")]);
        let packed = settings.pack();
        assert_eq!(Settings::unpack(&[&LAB], packed.clone()), Some(settings));
        assert_eq!(Settings::unpack(&[], packed.clone()), None);
        let mut short = packed.clone();
        short.values.pop();
        assert_eq!(Settings::unpack(&[&LAB], short), None);
        let mut wild = packed;
        wild.values[0] = Value::Choice(3);
        wild.values[1] = Value::Choice(usize::MAX);
        assert_eq!(Settings::unpack(&[&LAB], wild), Some(Settings::new(&LAB)));
    }
}
