//! A data set in one file: a header, the labels, the pixels. `tools/data/pack.mjs` writes it.

use crate::protocol::failure::Failure;

/// First bytes of every pack.
const MAGIC: &[u8; 8] = b"KILNDATA";
/// [`MAGIC`] and five numbers of four bytes, little-endian.
const HEADER: usize = 28;

/// Pictures of one size with their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Rows and columns of a picture.
    pub side: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Labels of each picture.
    pub labels_each: usize,
    /// `count * labels_each` bytes.
    pub labels: Vec<u8>,
    /// `count * side * side * channels` bytes, row by row, colours together.
    pub pixels: Vec<u8>,
}

impl Pack {
    /// Reads a pack. `name` is for the sentence when it is none.
    ///
    /// # Errors
    /// [`Failure::DataUnfit`] where bytes are missing or left over, or pictures are not square.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let unfit = || Failure::DataUnfit { name: name.into() };
        let header = bytes.get(..HEADER).ok_or_else(unfit)?;
        if &header[..8] != MAGIC {
            return Err(unfit());
        }
        let number = |index: usize| {
            let at = 8 + 4 * index;
            let four = header[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(four) as usize
        };
        let [count, height, width, channels, labels_each] = [0, 1, 2, 3, 4].map(number);
        let sane = count > 0
            && height == width
            && (1..=256).contains(&height)
            && matches!(channels, 1 | 3)
            && labels_each <= 16;
        if !sane {
            return Err(unfit());
        }
        let labels_end = count
            .checked_mul(labels_each)
            .and_then(|n| n.checked_add(HEADER));
        let pixels = count.checked_mul(height * width * channels);
        match (labels_end, pixels) {
            (Some(end), Some(pixels)) if bytes.len() == end.saturating_add(pixels) => Ok(Self {
                side: height,
                channels,
                labels_each,
                labels: bytes[HEADER..end].to_vec(),
                pixels: bytes[end..].to_vec(),
            }),
            _ => Err(unfit()),
        }
    }

    /// The first pictures alone.
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.count());
        Self {
            labels: self.labels[..count * self.labels_each].to_vec(),
            pixels: self.pixels[..count * self.values()].to_vec(),
            ..*self
        }
    }

    /// The file that [`parse`](Self::parse) reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sizes = [
            self.count(),
            self.side,
            self.side,
            self.channels,
            self.labels_each,
        ];
        let mut bytes = MAGIC.to_vec();
        bytes.extend(sizes.iter().flat_map(|&n| (n as u32).to_le_bytes()));
        bytes.extend(&self.labels);
        bytes.extend(&self.pixels);
        bytes
    }

    /// Pictures.
    pub fn count(&self) -> usize {
        self.pixels.len() / self.values()
    }

    /// Bytes of a picture.
    pub fn values(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// The pixels of a picture.
    pub fn picture(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.values()..(index + 1) * self.values()]
    }

    /// A label of a picture.
    pub fn label(&self, index: usize, which: usize) -> u8 {
        self.labels[index * self.labels_each + which]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [2u32, 2, 2, 1, 1] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([7, 9, 0, 1, 2, 3, 4, 5, 6, 255]);
        bytes
    }

    #[test]
    fn a_pack_gives_back_pictures_and_labels() {
        let pack = Pack::parse("x", &bytes()).unwrap();
        assert_eq!((pack.count(), pack.side, pack.channels), (2, 2, 1));
        assert_eq!(pack.picture(1), [4, 5, 6, 255]);
        assert_eq!((pack.label(0, 0), pack.label(1, 0)), (7, 9));
        assert_eq!(pack.to_bytes(), bytes());
        let first = Pack::parse("x", &pack.first(1).to_bytes()).unwrap();
        assert_eq!((first.count(), first.picture(0)), (1, pack.picture(0)));
    }

    #[test]
    fn damaged_packs_are_refused() {
        let whole = bytes();
        let mut other = whole.clone();
        other[0] = b'X';
        let mut huge = whole.clone();
        huge[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut empty = whole.clone();
        empty[8..12].copy_from_slice(&[0; 4]);
        let longer = [&whole[..], &[0]].concat();
        for bad in [
            &whole[..whole.len() - 1],
            &whole[..20],
            &[],
            &other,
            &huge,
            &empty,
            &longer,
        ] {
            let refused = Pack::parse("x", bad);
            assert_eq!(refused, Err(Failure::DataUnfit { name: "x".into() }));
        }
    }
}
