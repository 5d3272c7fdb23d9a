//! Networks to files and back: the weights that ship, and checkpoints of training.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, FloatDType, Tensor};

/// Weights in half precision, as they ship. The network cannot be used after: the running averages
/// of its batch norms are shared by all copies and become half precision, too.
pub fn save_half<M: Module>(network: M, path: &Path) -> Result<(), String> {
    write(path, &half_bytes(network)?)
}

/// The same, in memory.
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

/// Weights in full precision.
pub fn save_whole<M: Module>(network: M, path: &Path) -> Result<(), String> {
    let bytes = network.into_record().into_bytes();
    let bytes = bytes.map_err(|e| format!("the weights cannot be packed: {e}"))?;
    write(path, &bytes)
}

/// What [`save_half`] or [`save_whole`] wrote.
pub fn load_weights<M: Module>(network: M, path: &Path) -> Result<M, String> {
    let name = path.display().to_string();
    let bytes = read(path)?.to_vec();
    crate::engine::weights::fill(network, &name, bytes).map_err(|failure| failure.to_string())
}

fn beside(path: &Path, part: &str) -> PathBuf {
    path.with_extension(format!("{part}.checkpoint"))
}

/// A network in full precision, beside the file that is to be written in the end.
pub fn save_checkpoint<M: Module>(network: &M, path: &Path, part: &str) -> Result<(), String> {
    save_whole(network.clone(), &beside(path, part))
}

/// What [`save_checkpoint`] wrote.
pub fn load_checkpoint<M: Module>(network: M, path: &Path, part: &str) -> Result<M, String> {
    let file = beside(path, part);
    let record = ModuleRecord::from_bytes(read(&file)?)
        .map_err(|e| format!("{} is damaged: {e}", file.display()))?;
    network
        .try_load_record(record)
        .map_err(|e| format!("{} is of another network: {e:?}", file.display()))
}

/// The state of an optimiser, beside the file.
pub fn save_optimiser(optimiser: &ModuleOptimizer, path: &Path, part: &str) -> Result<(), String> {
    let bytes = optimiser.into_bytes();
    let bytes = bytes.map_err(|e| format!("the checkpoint cannot be packed: {e}"))?;
    write(&beside(path, &format!("{part}-adam")), &bytes)
}

/// What [`save_optimiser`] wrote.
pub fn load_optimiser(
    optimiser: ModuleOptimizer,
    path: &Path,
    part: &str,
) -> Result<ModuleOptimizer, String> {
    let file = beside(path, &format!("{part}-adam"));
    optimiser
        .from_bytes(read(&file)?)
        .map_err(|e| format!("{} is damaged: {e}", file.display()))
}

/// The steps done, beside the file.
pub fn save_step(path: &Path, step: u64) -> Result<(), String> {
    write(&beside(path, "step"), step.to_string().as_bytes())
}

/// What [`save_step`] wrote.
pub fn load_step(path: &Path) -> Result<u64, String> {
    let file = beside(path, "step");
    let text = String::from_utf8_lossy(&read(&file)?).into_owned();
    text.parse()
        .map_err(|_| format!("{} is no number of steps.", file.display()))
}

fn read(path: &Path) -> Result<Bytes, String> {
    fs::read(path)
        .map(Bytes::from_bytes_vec)
        .map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}
