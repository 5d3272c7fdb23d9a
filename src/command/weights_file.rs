//! Networks to files and back: the weights that ship, and checkpoints of training.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Bytes, FloatDType, Tensor};

use crate::job::Promise;
use crate::protocol::failure::Failure;
use crate::train::checkpoint::{Checkpoint, Storage};

use super::output::write_file;
use super::{print, sentence};

/// Weights in half precision, as they ship, as the bytes of a file. The network cannot be used after:
/// the running averages of its batch norms are shared by all copies and become half precision, too.
pub fn half_bytes<M: Module>(network: M) -> Result<Vec<u8>, String> {
    struct Half;
    impl ModuleMapper for Half {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor.cast(FloatDType::F16))
        }
    }
    let bytes = network.map(&mut Half).into_record().into_bytes();
    let bytes = bytes.map_err(|e| format!("the weights cannot be packed: {e}"))?;
    Ok(bytes.to_vec())
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
