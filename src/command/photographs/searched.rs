//! What selective search proposes in photographs, kept in a file: it takes a while for thousands.

use std::fs;
use std::path::Path;

use super::Opened;
use crate::command::print;
use crate::engine::weights::sha256_hex;
use crate::maths::boxes::Corners;
use crate::train::detector::{proposals, search_of_proposals};

/// The boxes of each photograph in its pixels, at most `most`, the likeliest first. They are searched on all processors, or
/// found in the cache; `name` tells parts of a set apart.
///
/// # Errors
/// Where a photograph or the cache cannot be read or written: a sentence.
pub fn searched(
    photographs: &[&Opened],
    most: usize,
    cache: &Path,
    name: &str,
) -> Result<Vec<Vec<Corners>>, String> {
    let path = cache.join(format!("{name}.proposals"));
    let files = photographs.iter().map(|of| &*of.photograph.file);
    let files = files.collect::<String>();
    let of = sha256_hex(format!("{} {most} {files}", search_of_proposals()).as_bytes());
    if let Ok(bytes) = fs::read(&path)
        && let Some(rest) = bytes.strip_prefix(of.as_bytes())
        && let Some(known) = read(rest, photographs.len())
    {
        return Ok(known);
    }
    let found = search(photographs, most)?;
    let mut bytes = of.into_bytes();
    for boxes in &found {
        bytes.extend((boxes.len() as u32).to_le_bytes());
        let numbers = boxes.iter().flat_map(|b| [b.x0, b.y0, b.x1, b.y1]);
        bytes.extend(numbers.flat_map(f32::to_le_bytes));
    }
    let written = fs::create_dir_all(cache).and_then(|()| fs::write(&path, bytes));
    written.map_err(|e| format!("{} cannot be written: {e}", print::shown(&path)))?;
    Ok(found)
}

fn read(bytes: &[u8], count: usize) -> Option<Vec<Vec<Corners>>> {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut words = words.iter();
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let boxes = u32::from_le_bytes(*words.next()?);
        let mut number = || words.next().map(|&word| f32::from_le_bytes(word));
        let mut of_photograph = Vec::new();
        for _ in 0..boxes {
            let [x0, y0, x1, y1] = [number()?, number()?, number()?, number()?];
            of_photograph.push(Corners { x0, y0, x1, y1 });
        }
        found.push(of_photograph);
    }
    (rest.is_empty() && words.next().is_none()).then_some(found)
}

fn search(photographs: &[&Opened], most: usize) -> Result<Vec<Vec<Corners>>, String> {
    print::note(format!("searching {} photographs", photographs.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let each = photographs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let of_part = |part: &[&Opened]| -> Result<Vec<Vec<Corners>>, String> {
            let of = |opened: &&Opened| {
                let picture = opened.picture();
                let picture =
                    picture.map_err(|_| format!("{} is no picture.", opened.photograph.file))?;
                Ok(proposals(&picture, most))
            };
            part.iter().map(of).collect()
        };
        let parts: Vec<_> = photographs
            .chunks(each)
            .map(|part| scope.spawn(move || of_part(part)))
            .collect();
        let mut all = Vec::new();
        for part in parts {
            all.extend(part.join().expect("a search does not panic")?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_cut_is_not_believed() {
        let mut bytes = 1u32.to_le_bytes().to_vec();
        bytes.extend(
            [1.0f32, 2.0, 3.0, 4.0]
                .into_iter()
                .flat_map(f32::to_le_bytes),
        );
        bytes.extend(0u32.to_le_bytes());
        let found = read(&bytes, 2).expect("two photographs");
        assert_eq!(found[0][0].y1, 4.0);
        assert!(found[1].is_empty());
        assert_eq!(read(&bytes[..bytes.len() - 4], 2), None);
        assert_eq!(read(&bytes[..bytes.len() - 1], 2), None);
        assert_eq!(read(&bytes, 1), None);
    }
}
