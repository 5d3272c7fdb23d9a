//! Networks to files and back: the weights that ship, and checkpoints of training.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Bytes, FloatDType, Tensor};

use crate::job::Promise;
use crate::protocol::failure::Failure;
use crate::train::checkpoint::{Checkpoint, Storage};

use super::output::write_file;
use super::{print, read_now, sentence};

/// The largest number of half precision. What lies further out would become infinite.
pub const LARGEST_HALF: f32 = 65_504.0;

/// Weights in half precision, as they ship, as the bytes of a file. The network cannot be used after:
/// the running averages of its batch norms are shared by all copies and become half precision, too.
///
/// # Errors
/// A sentence where a number is none, or beyond [`LARGEST_HALF`].
pub fn half_bytes<M: Module>(network: M) -> Result<Vec<u8>, String> {
    let mut half = Half::default();
    let network = network.map(&mut half);
    if let Some(tensor) = half.unfit {
        return Err(unfit_for_half(&tensor));
    }
    let bytes = network.into_record().into_bytes();
    let bytes = bytes.map_err(|e| format!("the weights cannot be packed: {e}"))?;
    Ok(bytes.to_vec())
}

/// That a tensor cannot be kept in half precision.
pub fn unfit_for_half(tensor: &str) -> String {
    format!(
        "the weights were not written: \"{tensor}\" holds values that are no numbers or beyond {LARGEST_HALF}, where half precision ends."
    )
}

/// Makes tensors half as large, and remembers the first that does not survive it.
#[derive(Default)]
struct Half {
    path: Vec<String>,
    unfit: Option<String>,
}

impl ModuleMapper for Half {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let mut numbers = read_now(tensor.clone()).into_iter();
            if self.unfit.is_none() && numbers.any(|v| v.is_nan() || v.abs() > LARGEST_HALF) {
                self.unfit = Some(self.path.join("."));
            }
            tensor.cast(FloatDType::F16)
        })
    }
}

/// Weights in full precision, as the bytes of a file.
pub fn whole_bytes<M: Module>(network: M) -> Result<Vec<u8>, String> {
    let bytes = network.into_record().into_bytes();
    let bytes = bytes.map_err(|e| format!("the weights cannot be packed: {e}"))?;
    Ok(bytes.to_vec())
}

/// A network with what [`half_bytes`] or [`whole_bytes`] made.
pub fn load_weights<M: Module>(network: M, path: &Path) -> Result<M, String> {
    let name = print::shown(path);
    let bytes = read(path)?.to_vec();
    crate::engine::weights::fill(network, &name, bytes).map_err(|failure| sentence(&failure))
}

/// Checkpoints of training, a file for each part beside the weights that are to be written in the end:
/// `<weights>.<part>.checkpoint`.
pub struct CheckpointFiles {
    weights: PathBuf,
}

/// The part that holds the number of steps.
const STEP: &str = "step";

impl CheckpointFiles {
    /// For weights that are to be written there.
    pub fn beside(weights: &Path) -> Self {
        Self {
            weights: weights.into(),
        }
    }

    fn file(&self, part: &str) -> PathBuf {
        self.weights.with_extension(format!("{part}.checkpoint"))
    }

    fn write_all(&self, checkpoint: &Checkpoint) -> Result<(), Failure> {
        let unwritable = |path: &Path| {
            let path = print::shown(path);
            |error: std::io::Error| Failure::Unwritable {
                path,
                reason: error.to_string(),
            }
        };
        let step = checkpoint.step.to_string().into_bytes();
        let parts = || {
            checkpoint
                .parts
                .iter()
                .map(|(part, bytes)| (part.as_str(), bytes))
        };
        // All is written before anything is replaced: a full disk leaves the checkpoint before.
        for (part, bytes) in parts().chain([(STEP, &step)]) {
            let fresh = self.file(&format!("{part}.new"));
            write_file(&fresh, bytes)?;
        }
        for (part, _) in parts().chain([(STEP, &step)]) {
            let file = self.file(part);
            fs::rename(self.file(&format!("{part}.new")), &file).map_err(unwritable(&file))?;
        }
        Ok(())
    }

    fn read_all(&self) -> Result<Checkpoint, Failure> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| Failure::Unreadable {
                path: print::shown(path),
                reason: error.to_string(),
            })
        };
        let step_file = self.file(STEP);
        let text = String::from_utf8_lossy(&read(&step_file)?).into_owned();
        let step = text.parse().map_err(|_| Failure::Unreadable {
            path: print::shown(&step_file),
            reason: "it holds no number of steps".into(),
        })?;
        let mut checkpoint = Checkpoint {
            step,
            ..Checkpoint::default()
        };
        // The names of parts are the trainee's: whatever lies there is read.
        let folder = step_file.parent().unwrap_or(Path::new("."));
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let stem = self
            .weights
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let entries = fs::read_dir(folder).map_err(|error| Failure::Unreadable {
            path: print::shown(folder),
            reason: error.to_string(),
        })?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let part = name
                .strip_prefix(&format!("{stem}."))
                .and_then(|rest| rest.strip_suffix(".checkpoint"));
            if let Some(part) = part.filter(|part| *part != STEP) {
                checkpoint.parts.insert(part.into(), read(&entry.path())?);
            }
        }
        Ok(checkpoint)
    }
}

impl Storage for CheckpointFiles {
    fn keep(&mut self, checkpoint: Checkpoint) -> Promise<'_, Result<(), Failure>> {
        Box::pin(async move { self.write_all(&checkpoint) })
    }

    fn last(&self) -> Promise<'_, Result<Checkpoint, Failure>> {
        Box::pin(async { self.read_all() })
    }
}

fn read(path: &Path) -> Result<Bytes, String> {
    fs::read(path)
        .map(Bytes::from_bytes_vec)
        .map_err(|e| format!("{} cannot be read: {e}", print::shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    fn network(number: f32) -> (Linear, Linear) {
        let device = Device::flex();
        let layer = || LinearConfig::new(2, 2).init(&device);
        let (first, mut second) = (layer(), layer());
        second.weight = second.weight.map(|w| w.zeros_like() + number);
        (first, second)
    }

    #[test]
    fn what_half_precision_cannot_hold_is_refused_by_the_name_of_its_tensor() {
        for number in [1e5, -7e4, f32::INFINITY, f32::NAN] {
            let refused = half_bytes(network(number)).unwrap_err();
            assert!(refused.contains("\"1.weight\""), "{refused}");
            assert!(refused.contains("65504"), "{refused}");
        }
        for number in [LARGEST_HALF, -LARGEST_HALF, 0.0] {
            assert!(half_bytes(network(number)).is_ok(), "{number}");
        }
    }
}
