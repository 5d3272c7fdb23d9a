//! The settings of one lab, a value for each row of its table.

use super::params::{Lab, MIX_MAX, Param, Value};

/// Values of a lab's settings. Each is one that the table allows.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "(Lab, Vec<Value>)", into = "(Lab, Vec<Value>)")]
pub struct Settings {
    lab: Lab,
    values: Vec<Value>,
}

impl From<Settings> for (Lab, Vec<Value>) {
    fn from(settings: Settings) -> Self {
        (settings.lab, settings.values)
    }
}

impl TryFrom<(Lab, Vec<Value>)> for Settings {
    type Error = String;

    fn try_from((lab, values): (Lab, Vec<Value>)) -> Result<Self, String> {
        if values.len() != lab.params().len() {
            return Err(format!("{} settings for {}", values.len(), lab.name()));
        }
        let mut settings = Self::new(lab);
        for (param, value) in lab.params().iter().zip(values) {
            settings.set(param.name, value);
        }
        Ok(settings)
    }
}

impl Settings {
    /// The defaults of a lab.
    pub fn new(lab: Lab) -> Self {
        Self {
            lab,
            values: lab
                .params()
                .iter()
                .map(|p| p.kind.default_value())
                .collect(),
        }
    }

    /// Whose settings these are.
    pub fn lab(&self) -> Lab {
        self.lab
    }

    fn position(&self, name: &str) -> usize {
        self.lab
            .params()
            .iter()
            .position(|p| p.name == name)
            .unwrap_or_else(|| panic!("{} has no setting {name}", self.lab.name()))
    }

    /// The value of a setting. Panics on a name that is not in the table: that is a bug.
    pub fn get(&self, name: &str) -> Value {
        self.values[self.position(name)]
    }

    /// A number by name; see [`get`](Self::get).
    pub fn number(&self, name: &str) -> f32 {
        match self.get(name) {
            Value::Number(n) => n,
            other => panic!("{name} is {other:?}, not a number"),
        }
    }

    /// The word of a choice by name; see [`get`](Self::get).
    pub fn choice(&self, name: &str) -> &'static str {
        match (self.get(name), self.lab.params()[self.position(name)].kind) {
            (Value::Choice(index), super::params::Kind::Choice(words)) => words[index],
            (other, _) => panic!("{name} is {other:?}, not a choice"),
        }
    }

    /// The numbers of a row by name; see [`get`](Self::get).
    pub fn row(&self, name: &str) -> [f32; super::params::ROW_MAX] {
        match self.get(name) {
            Value::Row(row) => row.map(|steps| f32::from(steps) / super::params::ROW_STEPS),
            other => panic!("{name} is {other:?}, not a row"),
        }
    }

    /// A colour by name; see [`get`](Self::get).
    pub fn color(&self, name: &str) -> [u8; 3] {
        match self.get(name) {
            Value::Color(color) => color,
            other => panic!("{name} is {other:?}, not a colour"),
        }
    }

    /// The weights of a mixture by name; they sum to 1. See [`get`](Self::get).
    pub fn mix(&self, name: &str) -> [f32; MIX_MAX] {
        match self.get(name) {
            Value::Mix(mix) => {
                let sum: f32 = mix.iter().map(|&weight| f32::from(weight)).sum();
                mix.map(|weight| f32::from(weight) / sum)
            }
            other => panic!("{name} is {other:?}, not a mixture"),
        }
    }

    /// Sets a value, moved to the nearest that the table allows.
    pub fn set(&mut self, name: &str, value: Value) {
        let position = self.position(name);
        self.values[position] = self.lab.params()[position].kind.clamp(value);
    }

    /// Sets a value from text. `false`, and nothing changed, where the text is no such value.
    pub fn set_text(&mut self, name: &str, text: &str) -> bool {
        let position = self.position(name);
        match self.lab.params()[position].kind.parse(text) {
            Some(value) => {
                self.values[position] = value;
                true
            }
            None => false,
        }
    }

    /// Rows of the table with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Param, Value)> + '_ {
        self.lab.params().iter().zip(self.values.iter().copied())
    }
}
