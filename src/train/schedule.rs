//! Learning rates over the steps of a run.

/// How the learning rates change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Schedule {
    /// As given for the first half, then down to a fiftieth in a straight line, so that the last steps
    /// settle. The networks that ship were trained so.
    #[default]
    SecondHalfDown,
    /// As given: for a run whose end nobody knows.
    Constant,
}

impl Schedule {
    /// What the learning rates are multiplied by at a step, counted from 0, of a run of `steps`: 0 to 1.
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        match self {
            Self::SecondHalfDown => (2.0 * (1.0 - step as f64 / steps as f64)).clamp(0.02, 1.0),
            Self::Constant => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_stay_for_half_the_run_and_then_fall_to_a_fiftieth() {
        let at = |step| Schedule::SecondHalfDown.factor(step, 1000);
        assert_eq!([0, 250, 500].map(at), [1.0; 3]);
        assert!((at(750) - 0.5).abs() < 1e-12 && (at(999) - 0.02).abs() < 1e-12);
        assert_eq!(Schedule::Constant.factor(999, 1000), 1.0);
    }
}
