//! Pixels that are drawn on, and how they become a file.

use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder as _,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngEncoder},
    },
};

use crate::dice::{Dice, mix};

/// Red, green and blue, each of 0 to 255.
pub(crate) type Colour = [f32; 3];

/// What of two colours is at `t` of the way from one to the other.
pub(crate) fn between(from: Colour, to: Colour, t: f32) -> Colour {
    let t = t.clamp(0.0, 1.0);
    [0, 1, 2].map(|index| from[index] + (to[index] - from[index]) * t)
}

/// A colour as designers write it: `0xRRGGBB`.
pub(crate) const fn rgb(hex: u32) -> Colour {
    [(hex >> 16 & 0xff) as f32, (hex >> 8 & 0xff) as f32, (hex & 0xff) as f32]
}

/// A picture on its way. Whatever lies outside of it is not drawn.
#[derive(Debug, Clone)]
pub struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![0; width as usize * height as usize * 3] }
    }

    pub(crate) fn width(&self) -> f32 {
        self.width as f32
    }

    pub(crate) fn height(&self) -> f32 {
        self.height as f32
    }

    /// Lays a colour over a pixel; `cover` 1 hides what was there.
    pub(crate) fn blend(&mut self, x: i32, y: i32, colour: Colour, cover: f32) {
        if x < 0 || y < 0 || x >= self.width as i32 || y >= self.height as i32 {
            return;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        for (old, new) in self.pixels[at..at + 3].iter_mut().zip(colour) {
            *old = (f32::from(*old) + (new - f32::from(*old)) * cover + 0.5) as u8;
        }
    }

    /// The colour of a pixel inside.
    pub(crate) fn colour(&self, x: i32, y: i32) -> Colour {
        let (x, y) = (x.clamp(0, self.width as i32 - 1), y.clamp(0, self.height as i32 - 1));
        let at = (y as usize * self.width as usize + x as usize) * 3;
        [0, 1, 2].map(|index| f32::from(self.pixels[at + index]))
    }

    /// Fills a rectangle.
    pub(crate) fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        for row in y.round() as i32..(y + height).round() as i32 {
            for column in x.round() as i32..(x + width).round() as i32 {
                self.blend(column, row, colour, 1.0);
            }
        }
    }

    /// Fills everything.
    pub(crate) fn fill(&mut self, colour: Colour) {
        self.rectangle(0.0, 0.0, self.width(), self.height(), colour);
    }

    /// Fills what a shape covers inside a rectangle. `depth` is how far inside the shape a point lies, in pixels: half a
    /// pixel either way is its soft edge.
    pub(crate) fn shape(
        &mut self,
        [left, top, right, bottom]: [f32; 4],
        colour: Colour,
        depth: impl Fn(f32, f32) -> f32,
    ) {
        let clip = |value: f32, end: u32| value.clamp(0.0, end as f32) as i32;
        for y in clip(top.floor(), self.height)..clip(bottom.ceil() + 1.0, self.height) {
            for x in clip(left.floor(), self.width)..clip(right.ceil() + 1.0, self.width) {
                let cover = (depth(x as f32 + 0.5, y as f32 + 0.5) + 0.5).clamp(0.0, 1.0);
                if cover > 0.0 {
                    self.blend(x, y, colour, cover);
                }
            }
        }
    }

    /// Fills a disc.
    pub(crate) fn disc(&mut self, x: f32, y: f32, radius: f32, colour: Colour) {
        let bounds = [x - radius, y - radius, x + radius, y + radius];
        self.shape(bounds, colour, |px, py| radius - (px - x).hypot(py - y));
    }

    /// Draws a ring.
    pub(crate) fn ring(&mut self, x: f32, y: f32, radius: f32, thickness: f32, colour: Colour) {
        let outer = radius + thickness / 2.0;
        let bounds = [x - outer, y - outer, x + outer, y + outer];
        self.shape(bounds, colour, |px, py| thickness / 2.0 - ((px - x).hypot(py - y) - radius).abs());
    }

    /// Draws a line with round ends.
    pub(crate) fn line(&mut self, from: (f32, f32), to: (f32, f32), thickness: f32, colour: Colour) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).max(1e-6);
        let half = thickness / 2.0;
        let bounds =
            [from.0.min(to.0) - half, from.1.min(to.1) - half, from.0.max(to.0) + half, from.1.max(to.1) + half];
        self.shape(bounds, colour, |px, py| {
            let t = (((px - from.0) * dx + (py - from.1) * dy) / length).clamp(0.0, 1.0);
            half - (px - from.0 - t * dx).hypot(py - from.1 - t * dy)
        });
    }

    /// Grain as film has it: a little noise of its own on every pixel, so that skies show no steps.
    pub(crate) fn grain(&mut self, dice: &mut Dice, strength: f32) {
        let seed = dice.roll();
        for (index, pixel) in self.pixels.chunks_exact_mut(3).enumerate() {
            let noise = mix(seed ^ index as u64);
            // Two uniform numbers together are close enough to how film scatters.
            let sum = (noise & 0xff) as f32 + (noise >> 8 & 0xff) as f32 - 255.0;
            let shift = sum * strength / 128.0;
            for channel in pixel {
                *channel = (f32::from(*channel) + shift + 0.5) as u8;
            }
        }
    }

    /// The picture as a JPEG file; `quality` of 1 to 100.
    pub fn jpeg(&self, quality: u8) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.pixels.len() / 6);
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .write_image(&self.pixels, self.width, self.height, ExtendedColorType::Rgb8)
            .expect("a picture that fits its own sizes is written to memory");
        bytes
    }

    /// The picture as a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::with_capacity(self.pixels.len() / 6));
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
            .write_image(&self.pixels, self.width, self.height, ExtendedColorType::Rgb8)
            .expect("a picture that fits its own sizes is written to memory");
        bytes.into_inner()
    }
}
