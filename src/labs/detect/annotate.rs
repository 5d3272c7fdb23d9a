//! Draws detections into a picture, with the colours that the page uses.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use super::families::Family;
use super::spec::Detections;
use crate::maths::boxes::Corners;
use crate::protocol::picture::Picture;

/// The picture with a frame and a label for each detection that was kept.
pub fn draw(picture: &Picture, detections: &Detections, family: &Family) -> Picture {
    let mut canvas = Canvas::of(picture);
    let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).expect("a shipped font");
    let longer = picture.width.max(picture.height) as f32;
    let line = (longer / 300.0).round().max(2.0) as i64;
    let size = (longer / 36.0).max(14.0);
    for (_, found) in detections.kept() {
        let color = family.color(found.class);
        let b = found.box_in_image;
        let [x0, y0] = [b.x0, b.y0].map(|v| v.round() as i64);
        canvas.frame(b, line, color);
        let label = format!("{} {:.0} %", family.classes[found.class], found.score * 100.0);
        let ink = if family.dark_text(found.class) {
            [0; 3]
        } else {
            [255; 3]
        };
        canvas.label(&font, size, &label, [x0, y0], color, ink);
    }
    canvas.picture
}

/// The picture with the frames of boxes, the first one above all others.
pub fn frames(picture: &Picture, boxes: &[Corners]) -> Picture {
    let mut canvas = Canvas::of(picture);
    for of in boxes.iter().rev() {
        canvas.frame(*of, 1, [0xe6, 0x9f, 0x00]);
    }
    canvas.picture
}

/// A picture that is drawn into.
pub struct Canvas {
    /// What it is so far.
    pub picture: Picture,
}

impl Canvas {
    /// A copy of a picture.
    pub fn of(picture: &Picture) -> Self {
        Self {
            picture: picture.clone(),
        }
    }

    /// A frame of a box, `line` pixels wide.
    pub fn frame(&mut self, b: Corners, line: i64, color: [u8; 3]) {
        let [x0, y0, x1, y1] = [b.x0, b.y0, b.x1, b.y1].map(|v| v.round() as i64);
        self.fill([x0, y0, x1, y0 + line], color);
        self.fill([x0, y1 - line, x1, y1], color);
        self.fill([x0, y0, x0 + line, y1], color);
        self.fill([x1 - line, y0, x1, y1], color);
    }

    /// Lays a colour over `[x0, y0, x1, y1)`, as far as it lies inside the picture; `share` of 1 hides what was there.
    pub fn tint(&mut self, [x0, y0, x1, y1]: [i64; 4], color: [u8; 3], share: f32) {
        for y in y0.max(0)..y1.min(self.picture.height as i64) {
            for x in x0.max(0)..x1.min(self.picture.width as i64) {
                self.blend(x, y, color, share);
            }
        }
    }

    /// Fills `[x0, y0, x1, y1)`, as far as it lies inside the picture.
    fn fill(&mut self, edges: [i64; 4], color: [u8; 3]) {
        self.tint(edges, color, 1.0);
    }

    fn blend(&mut self, x: i64, y: i64, color: [u8; 3], share: f32) {
        if x < 0 || y < 0 || x >= self.picture.width as i64 || y >= self.picture.height as i64 {
            return;
        }
        let at = (y as usize * self.picture.width + x as usize) * 4;
        for (channel, &new) in color.iter().enumerate() {
            let old = f32::from(self.picture.rgba[at + channel]);
            self.picture.rgba[at + channel] = (old + (f32::from(new) - old) * share).round() as u8;
        }
        self.picture.rgba[at + 3] = 255;
    }

    /// A line of text on the colour, inside the box at its top left corner.
    fn label(
        &mut self,
        font: &FontRef,
        size: f32,
        text: &str,
        [x, y]: [i64; 2],
        color: [u8; 3],
        ink: [u8; 3],
    ) {
        let font = font.as_scaled(PxScale::from(size));
        let padding = size * 0.25;
        let width: f32 = text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum();
        let right = x + (width + 2.0 * padding).round() as i64;
        let bottom = y + (size * 1.2).round() as i64;
        self.fill([x, y, right, bottom], color);
        let mut caret = x as f32 + padding;
        for character in text.chars() {
            let mut glyph = font.scaled_glyph(character);
            glyph.position = point(caret, y as f32 + size * 0.95);
            caret += font.h_advance(glyph.id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let origin = outline.px_bounds().min;
                outline.draw(|dx, dy, share| {
                    self.blend(
                        origin.x as i64 + i64::from(dx),
                        origin.y as i64 + i64::from(dy),
                        ink,
                        share,
                    );
                });
            }
        }
    }
}
