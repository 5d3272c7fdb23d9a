//! From the bytes of a weights file to a network that is proven to be the one in the manifest.

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use sha2::{Digest, Sha256};

use burn::tensor::Device;

use crate::job::Host;
use crate::models::{Network, Row};
use crate::protocol::card::WeightsFile;
use crate::protocol::failure::Failure;

/// sha256 of some bytes, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Checks that bytes are that file.
///
/// # Errors
/// [`Failure::WeightsTruncated`] or [`Failure::WeightsChanged`].
pub fn verify(file: &WeightsFile, bytes: &[u8]) -> Result<(), Failure> {
    let name = file.name.to_string();
    if bytes.len() < file.bytes {
        return Err(Failure::WeightsTruncated {
            name,
            got: bytes.len(),
            expected: file.bytes,
        });
    }
    if sha256_hex(bytes) != file.sha256 {
        return Err(Failure::WeightsChanged { name });
    }
    Ok(())
}

/// Puts verified bytes into a freshly made network. Weights stored as f16 become f32.
///
/// # Errors
/// [`Failure::WeightsUnfit`] where a tensor is missing, left over, or of another shape.
pub fn fill<M: Module>(network: M, name: &str, bytes: Vec<u8>) -> Result<M, Failure> {
    let unfit = |_| Failure::WeightsUnfit { name: name.into() };
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(unfit)?;
    network
        .try_load_record(record.cast_to_module_dtype())
        .map_err(unfit)
}

/// Fetches and verifies.
///
/// # Errors
/// Those of [`Host::weights`] and [`verify`]. Bytes that are wrong are forgotten and asked for
/// once more.
pub async fn fetch(host: &dyn Host, file: &WeightsFile) -> Result<Vec<u8>, Failure> {
    let mut bytes = host.weights(file.name, file.sha256, file.bytes).await?;
    if verify(file, &bytes).is_err() {
        // What a cache keeps broken stays broken: the host now asks past it.
        host.forget_weights(file.name, file.sha256).await;
        bytes = host.weights(file.name, file.sha256, file.bytes).await?;
        verify(file, &bytes)?;
    }
    host.keep_weights(file.name, file.sha256, &bytes).await;
    Ok(bytes)
}

/// A network whatever its type: what a converted file is held against.
pub trait AnyNetwork: Sync {
    /// Name of its manifest entry.
    fn name(&self) -> &'static str;
    /// Whether the bytes of a weights file fill it.
    ///
    /// # Errors
    /// Those of [`fill`].
    fn fits(&self, bytes: Vec<u8>, device: &Device) -> Result<(), Failure>;
}

impl<M: Module + 'static> AnyNetwork for Network<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fits(&self, bytes: Vec<u8>, device: &Device) -> Result<(), Failure> {
        fill(self.blank(device), self.name, bytes).map(drop)
    }
}
