//! Which of two devices serves a lab: how they compare at each workload, and where each lab keeps what
//! it has. No device is known here.

use crate::protocol::message::{Backend, BackendStatus, Compared, Devices, Standing};

/// Runs of each device that are enough to know its time.
const RUNS: usize = 3;
/// Where runs take long, two are enough: they differ less, and the visitor's battery counts, too.
const RUNS_OF_LONG: usize = 2;
/// Milliseconds after which runs are long.
const LONG_MS: f64 = 1_000.0;

/// One of the two devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The CPU, which serves from the start.
    First,
    /// WebGPU, where it was opened beside it.
    Second,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Two devices, as far as they are compared.
#[derive(Debug, Default)]
pub struct Rivals {
    /// What the page is told.
    devices: Devices,
    /// Largest difference of the second device from the first.
    self_check: f32,
    /// What an earlier visit found out.
    remembered: Vec<Compared>,
    /// Labs that left something on the side that they moved from.
    moved: Vec<String>,
}

impl Rivals {
    /// The second device is there. What was remembered of another adapter counts for nothing.
    pub fn open(&mut self, adapter: String, self_check: f32, remembered: &str) {
        let known: Option<Devices> = serde_json::from_str(remembered).ok();
        let same = known.filter(|known| known.adapter == adapter);
        self.remembered = same.map(|known| known.compared).unwrap_or_default();
        self.devices.adapter = adapter;
        self.self_check = self_check;
    }

    /// Whether the second device is there.
    pub fn are_two(&self) -> bool {
        !self.devices.adapter.is_empty()
    }

    /// Whether a lab has, or is about to have, what it keeps on the second device.
    pub fn needs_second(&self) -> bool {
        !self.devices.on_gpu.is_empty()
    }

    /// What the page is told.
    pub fn status(&self) -> BackendStatus {
        BackendStatus {
            backend: Backend::Cpu,
            reason: None,
            self_check: Some(self.self_check),
            beside: Some(self.devices.clone()),
        }
    }

    /// What the next visit is to know: a text for [`open`](Self::open).
    pub fn to_remember(&self) -> String {
        let now = &self.devices.compared;
        let timed = |of: &&Compared| of.standing.times().is_some_and(is_clear);
        let before = self.remembered.iter();
        let before = before.filter(|of| find(now, &of.lab, &of.workload).is_none());
        let devices = Devices {
            compared: before.chain(now.iter().filter(timed)).cloned().collect(),
            on_gpu: Vec::new(),
            adapter: self.devices.adapter.clone(),
        };
        serde_json::to_string(&devices).expect("plain data")
    }

    /// How the two compare at a workload; nothing where it was not met yet.
    pub fn standing(&self, lab: &str, workload: &str) -> Option<&Standing> {
        find(&self.devices.compared, lab, workload)
    }

    /// How they compared at it in an earlier visit.
    pub fn recalled(&self, lab: &str, workload: &str) -> Option<Standing> {
        find(&self.remembered, lab, workload).cloned()
    }

    /// The comparison at a workload did not come to anything: it may be made again.
    pub fn drop_standing(&mut self, lab: &str, workload: &str) {
        let compared = &mut self.devices.compared;
        compared.retain(|of| of.lab != lab || of.workload != workload);
    }

    /// Notes how far the comparison at a workload is.
    pub fn note(&mut self, lab: &str, workload: &str, standing: Standing) {
        self.drop_standing(lab, workload);
        self.devices.compared.push(Compared {
            lab: lab.into(),
            workload: workload.into(),
            standing,
        });
    }

    /// The device that keeps what a lab has.
    pub fn home(&self, lab: &str) -> Side {
        match self.devices.on_gpu.iter().any(|name| name == lab) {
            true => Side::Second,
            false => Side::First,
        }
    }

    /// A lab keeps what it has on another device from now on.
    pub fn move_to(&mut self, lab: &str, side: Side) {
        if self.home(lab) == side {
            return;
        }
        self.moved.push(lab.into());
        let on_gpu = &mut self.devices.on_gpu;
        match side {
            Side::First => on_gpu.retain(|name| name != lab),
            Side::Second => on_gpu.push(lab.into()),
        }
    }

    /// What the lab left on its other side could not be forgotten yet.
    pub fn put_off(&mut self, lab: &str) {
        self.moved.push(lab.into());
    }

    /// The labs that left something.
    pub fn moved(&self) -> Vec<String> {
        self.moved.clone()
    }

    /// Where a lab is now, if it moved since this was last asked.
    pub fn take_moved(&mut self, lab: &str) -> Option<Side> {
        let count = self.moved.len();
        self.moved.retain(|name| name != lab);
        (self.moved.len() < count).then(|| self.home(lab))
    }

    /// The faster device at a workload, as far as it is known.
    pub fn faster(&self, lab: &str, workload: &str) -> Side {
        match self.standing(lab, workload) {
            Some(standing) if standing.is_for_gpu() => Side::Second,
            Some(_) | None => Side::First,
        }
    }

    /// The device for a question: that which keeps what it goes on with, or the faster one.
    pub fn side_for(&self, lab: &str, workload: Option<&str>, goes_on: bool) -> Side {
        match workload {
            _ if goes_on => self.home(lab),
            Some(workload) => self.faster(lab, workload),
            None => Side::First,
        }
    }
}

fn find<'a>(among: &'a [Compared], lab: &str, workload: &str) -> Option<&'a Standing> {
    let mut same = among.iter();
    let same = same.find(|of| of.lab == lab && of.workload == workload);
    same.map(|of| &of.standing)
}

/// Whether one device is so much faster that it will be so next time, too. What is close is timed anew.
fn is_clear([a, b]: [f64; 2]) -> bool {
    a.max(b) >= 1.5 * a.min(b)
}

/// Whether so many runs tell how long one takes.
pub fn is_enough(runs_ms: &[f64]) -> bool {
    let are_long = runs_ms.iter().sum::<f64>() > LONG_MS;
    runs_ms.len() >= if are_long { RUNS_OF_LONG } else { RUNS }
}

/// How long a run takes: the median, of two the shorter. The first may load what the others find.
pub fn typical(mut runs_ms: Vec<f64>) -> f64 {
    runs_ms.sort_by(f64::total_cmp);
    let middle = runs_ms.len().saturating_sub(1) / 2;
    runs_ms.get(middle).copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPU_WINS: Standing = Standing::Timed {
        cpu_ms: 50.0,
        gpu_ms: 9.0,
    };
    const CPU_WINS: Standing = Standing::Timed {
        cpu_ms: 5.0,
        gpu_ms: 9.0,
    };

    #[test]
    fn the_cpu_serves_until_the_gpu_is_ready_and_not_slower() {
        let mut rivals = Rivals::default();
        let side = |rivals: &Rivals| rivals.side_for("lab", Some("net"), false);
        assert_eq!(side(&rivals), Side::First);
        for standing in [Standing::Compiling, Standing::Timing, CPU_WINS] {
            rivals.note("lab", "net", standing);
            assert_eq!(side(&rivals), Side::First);
        }
        rivals.note("lab", "net", GPU_WINS);
        assert_eq!(side(&rivals), Side::Second);
        // Another network of the lab, and a lab that names none.
        assert_eq!(rivals.side_for("lab", Some("other"), false), Side::First);
        assert_eq!(rivals.side_for("lab", None, false), Side::First);
        let detail = "lost".into();
        rivals.note("lab", "net", Standing::Refused { detail });
        assert_eq!(side(&rivals), Side::First);
        let beside = rivals.status().beside.expect("two devices");
        assert_eq!(beside.compared.len(), 1);
    }

    #[test]
    fn what_goes_on_stays_where_it_began() {
        let mut rivals = Rivals::default();
        rivals.note("lab", "net", GPU_WINS);
        assert_eq!(rivals.side_for("lab", Some("net"), true), Side::First);
        rivals.move_to("lab", Side::Second);
        assert_eq!(rivals.side_for("lab", Some("net"), true), Side::Second);
        rivals.note("lab", "net", CPU_WINS);
        assert_eq!(rivals.side_for("lab", Some("net"), true), Side::Second);
        assert_eq!(rivals.side_for("lab", Some("net"), false), Side::First);
        assert_eq!(rivals.take_moved("lab"), Some(Side::Second));
        rivals.move_to("lab", Side::Second);
        assert_eq!(rivals.take_moved("lab"), None);
        rivals.move_to("lab", Side::First);
        assert_eq!(rivals.home("lab"), Side::First);
        assert_eq!(rivals.take_moved("other"), None);
        assert_eq!(rivals.take_moved("lab"), Some(Side::First));
    }

    #[test]
    fn times_are_remembered_for_the_same_adapter_only() {
        let mut first = Rivals::default();
        first.open("card".into(), 0.0, "");
        first.note("lab", "net", GPU_WINS);
        first.note("lab", "other", Standing::Timing);
        let [cpu_ms, gpu_ms] = [8.0, 9.0];
        first.note("lab", "close", Standing::Timed { cpu_ms, gpu_ms });
        let text = first.to_remember();
        let mut second = Rivals::default();
        second.open("card".into(), 0.0, &text);
        assert_eq!(second.recalled("lab", "net"), Some(GPU_WINS));
        assert_eq!(second.recalled("lab", "other"), None);
        assert_eq!(second.recalled("lab", "close"), None);
        // It is not ready before it is compiled again.
        assert_eq!(second.faster("lab", "net"), Side::First);
        // What was not opened this time is not forgotten; what was is renewed.
        second.note("lab", "third", CPU_WINS);
        second.note("lab", "net", CPU_WINS);
        let mut third = Rivals::default();
        third.open("card".into(), 0.0, &second.to_remember());
        assert_eq!(third.recalled("lab", "net"), Some(CPU_WINS));
        assert_eq!(third.recalled("lab", "third"), Some(CPU_WINS));
        let mut elsewhere = Rivals::default();
        elsewhere.open("another".into(), 0.0, &text);
        assert_eq!(elsewhere.recalled("lab", "net"), None);
        elsewhere.open("card".into(), 0.0, "what is this");
        assert_eq!(elsewhere.recalled("lab", "net"), None);
    }

    #[test]
    fn few_runs_are_enough_where_they_are_long() {
        assert!(!is_enough(&[10.0, 11.0]));
        assert!(is_enough(&[10.0, 11.0, 12.0]));
        assert!(!is_enough(&[4_000.0]));
        assert!(is_enough(&[700.0, 600.0]));
        assert_eq!(typical(vec![30.0, 10.0, 12.0]), 12.0);
        assert_eq!(typical(vec![900.0, 600.0]), 600.0);
        assert_eq!(typical(Vec::new()), f64::INFINITY);
    }
}
