//! The checks of a picture file before anything decodes it.

use super::failure::Failure;
use super::picture::{MAX_MEGABYTES, MAX_MEGAPIXELS};

/// Looks at size, magic bytes and header of a file and says whether it is safe to decode.
///
/// # Errors
/// One of the sentences of [`Failure`] about files and pictures.
pub fn check(bytes: &[u8]) -> Result<(), Failure> {
    use imagesize::ImageType;
    if bytes.is_empty() {
        return Err(Failure::EmptyFile);
    }
    let megabytes = bytes.len().div_ceil(1_000_000);
    if megabytes > MAX_MEGABYTES {
        return Err(Failure::FileTooLarge {
            megabytes,
            limit: MAX_MEGABYTES,
        });
    }
    match imagesize::image_type(bytes) {
        Ok(
            ImageType::Png | ImageType::Jpeg | ImageType::Webp | ImageType::Gif | ImageType::Bmp,
        ) => {}
        _ => return Err(Failure::NotAPicture),
    }
    let size = imagesize::blob_size(bytes).map_err(|_| Failure::DamagedPicture)?;
    if size.width == 0 || size.height == 0 {
        return Err(Failure::DamagedPicture);
    }
    if size.width.saturating_mul(size.height) > MAX_MEGAPIXELS * 1_000_000 {
        return Err(Failure::TooManyPixels {
            width: size.width,
            height: size.height,
            limit: MAX_MEGAPIXELS,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first bytes of a PNG of that size.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn each_bad_file_has_its_sentence() {
        assert_eq!(check(b""), Err(Failure::EmptyFile));
        assert_eq!(
            check(b"just some text, whatever the name says"),
            Err(Failure::NotAPicture)
        );
        assert_eq!(
            check(&png_header(12_000, 12_000)),
            Err(Failure::TooManyPixels {
                width: 12_000,
                height: 12_000,
                limit: 64
            })
        );
        assert_eq!(check(&png_header(0, 10)), Err(Failure::DamagedPicture));
        assert_eq!(check(&png_header(1, 1)[..20]), Err(Failure::DamagedPicture));
        assert_eq!(check(&png_header(640, 480)), Ok(()));
    }

    #[test]
    fn a_file_of_many_bytes_is_refused_before_its_header_is_read() {
        let bytes = vec![0; 65_000_000];
        assert_eq!(
            check(&bytes),
            Err(Failure::FileTooLarge {
                megabytes: 65,
                limit: 64
            })
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }

        #[test]
        fn no_damaged_header_panics(at in 0usize..33, byte: u8, width: u32, height: u32) {
            let mut bytes = png_header(width, height);
            bytes[at] = byte;
            let _ = check(&bytes);
        }
    }
}
