//! A file that is made in parts, on as many threads as there are processors.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::mpsc;

use crate::command::print;
use crate::models::detect::backbone::Backbone;

/// Writes `count` parts, each where `at` says, in bytes; `tell` hears how many are there. Every thread has a network of its own.
///
/// # Errors
/// Those of `part`, and where the file cannot be written: a sentence.
pub fn fill(
    path: &Path,
    count: usize,
    backbone: &Backbone,
    at: impl Fn(usize) -> usize,
    part: impl Fn(usize, &Backbone) -> Result<Vec<u8>, String> + Sync,
    tell: impl Fn(usize),
) -> Result<(), String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let unwritten = |e: std::io::Error| format!("{} cannot be written: {e}", print::shown(path));
    let mut file = File::create(path).map_err(unwritten)?;
    let (send, receive) = mpsc::sync_channel::<Result<(usize, Vec<u8>), String>>(4 * threads);
    std::thread::scope(|scope| {
        let part = &part;
        for thread in 0..threads {
            let send = send.clone();
            let backbone = backbone.clone();
            scope.spawn(move || {
                for number in (thread..count).step_by(threads) {
                    let made = part(number, &backbone).map(|bytes| (number, bytes));
                    let failed = made.is_err();
                    if send.send(made).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (done, made) in receive.into_iter().enumerate() {
            let (number, bytes) = made?;
            let at = SeekFrom::Start(at(number) as u64);
            file.seek(at).map_err(unwritten)?;
            file.write_all(&bytes).map_err(unwritten)?;
            tell(done + 1);
        }
        Ok(())
    })
}
