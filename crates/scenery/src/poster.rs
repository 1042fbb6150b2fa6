//! Sheets of few colours: large shapes, and tiles.

use crate::{
    Canvas, Dice,
    canvas::{Colour, between, rgb},
    font,
};

/// A ground and four colours that go with it and with each other.
const PALETTES: [[Colour; 5]; 7] = [
    [rgb(0xf3ead7), rgb(0xd1462f), rgb(0x1f3a5f), rgb(0xe9a93b), rgb(0x2a2a2a)],
    [rgb(0x12263a), rgb(0xf4d35e), rgb(0xee964b), rgb(0xf95738), rgb(0xfaf0ca)],
    [rgb(0xefe9e1), rgb(0x2f6f62), rgb(0xe07a5f), rgb(0x3d405b), rgb(0xf2cc8f)],
    [rgb(0xfdfcf7), rgb(0x0b5fff), rgb(0xff4f3a), rgb(0x111111), rgb(0xffc400)],
    [rgb(0x1b1b2f), rgb(0xe43f5a), rgb(0x53a8b6), rgb(0xf6f3e4), rgb(0x885a89)],
    [rgb(0xe8ece5), rgb(0x395144), rgb(0xaa8b56), rgb(0x7b2d26), rgb(0x0b2027)],
    [rgb(0xf7d9d0), rgb(0x7d1d3f), rgb(0x2d3047), rgb(0xe55934), rgb(0xfff8f0)],
];

const WORDS: [&str; 10] =
    ["HARBOUR", "TRAMLINE", "NORTH", "ATLAS", "OPEN DAY", "MERIDIAN", "SALT", "COURTYARDS", "NIGHT WALK", "NO 8"];

/// The colour of a palette that stands out most from its ground.
fn readable(palette: &[Colour; 5]) -> Colour {
    let light = |colour: &Colour| 0.3 * colour[0] + 0.6 * colour[1] + 0.1 * colour[2];
    let far = |colour: &Colour| (light(colour) - light(&palette[0])).abs();
    palette[1..].iter().copied().max_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(palette[4])
}

/// A poster with a word at its foot.
pub(crate) fn shapes(canvas: &mut Canvas, dice: &mut Dice) {
    let (width, height) = (canvas.width(), canvas.height());
    let palette = dice.pick(&PALETTES);
    let ground = palette[0];
    canvas.fill(ground);
    let ink = |dice: &mut Dice| palette[1 + dice.below(4)];
    let side = width.min(height);
    match dice.below(4) {
        0 => {
            // A large disc that bands cut through.
            let (x, y) = (width * dice.between(0.35, 0.65), height * dice.between(0.32, 0.48));
            let radius = side * dice.between(0.28, 0.38);
            canvas.disc(x, y, radius, ink(dice));
            let bands = 4 + dice.below(5);
            for band in 0..bands {
                let at = y + radius * (0.1 + 0.9 * band as f32 / bands as f32);
                canvas.rectangle(0.0, at, width, radius * 0.35 / bands as f32 * (band + 1) as f32 / 2.0, ground);
            }
        }
        1 => {
            // Rings around a point outside of the middle.
            let (x, y) = (width * dice.between(0.2, 0.8), height * dice.between(0.2, 0.6));
            let step = side * dice.between(0.05, 0.08);
            for ring in 1..14 {
                canvas.ring(x, y, ring as f32 * step, step * 0.5, ink(dice));
            }
        }
        2 => {
            // Rays.
            let (x, y) = (width * dice.between(0.3, 0.7), height * 0.62);
            let colours = [ink(dice), ink(dice)];
            let rays = 10 + 2 * dice.below(6);
            for py in 0..y as i32 {
                for px in 0..width as i32 {
                    let angle = (y - py as f32).atan2(px as f32 - x) / std::f32::consts::PI;
                    let ray = (angle * rays as f32) as usize;
                    if ray.is_multiple_of(2) {
                        canvas.blend(px, py, colours[ray / 2 % 2], 1.0);
                    }
                }
            }
            canvas.disc(x, y, side * 0.16, ink(dice));
            canvas.rectangle(0.0, y, width, height - y, palette[4]);
        }
        _ => {
            // Waves over each other.
            for wave in 0..7 {
                let base = height * (0.18 + 0.085 * wave as f32);
                let (swing, long) = (height * dice.between(0.02, 0.06), width * dice.between(0.25, 0.6));
                let phase = dice.between(0.0, 6.0);
                let colour = between(ink(dice), ground, 0.1);
                canvas.shape([0.0, base - swing, width, height], colour, |px, py| {
                    py - base - swing * (px / long * std::f32::consts::TAU + phase).sin()
                });
            }
        }
    }
    let band = height * 0.2;
    canvas.rectangle(0.0, height - band, width, band, ground);
    let word = dice.pick(&WORDS);
    let margin = width * 0.07;
    let size = ((width - 2.0 * margin) / font::width(word, 1.0)).min(band * 0.055);
    let text = readable(palette);
    font::write(canvas, margin, height - band * 0.72, size, word, text);
    let small = (size * 0.35).max(1.0);
    font::write(canvas, margin, height - band * 0.22, small, "MERIDIAN STUDIO  PORTO - YEREVAN", text);
    canvas.grain(dice, 2.0);
}

/// A pattern of tiles, each a quarter or half of a disc, or a bar.
pub(crate) fn tiles(canvas: &mut Canvas, dice: &mut Dice) {
    let (width, height) = (canvas.width(), canvas.height());
    let palette = dice.pick(&PALETTES);
    let across = 5 + dice.below(6);
    let side = (width / across as f32).ceil();
    let mut y = 0.0;
    while y < height {
        let mut x = 0.0;
        while x < width {
            let ground = palette[dice.below(5)];
            let ink = *palette.iter().find(|colour| **colour != ground).unwrap_or(&palette[1]);
            let ink = if dice.chance(60) { palette[dice.below(5)] } else { ink };
            canvas.rectangle(x, y, side, side, ground);
            let bounds = [x, y, x + side - 1.0, y + side - 1.0];
            let (right, low) = (dice.chance(50), dice.chance(50));
            let (cx, cy) = (if right { x + side } else { x }, if low { y + side } else { y });
            match dice.below(5) {
                0 | 1 => canvas.shape(bounds, ink, |px, py| side - (px - cx).hypot(py - cy)),
                2 => canvas.shape(bounds, ink, |px, py| side / 2.0 - (px - x - side / 2.0).hypot(py - cy)),
                3 => canvas.disc(x + side / 2.0, y + side / 2.0, side * 0.3, ink),
                _ => canvas.rectangle(x, if low { y + side / 2.0 } else { y }, side, side / 2.0, ink),
            }
            x += side;
        }
        y += side;
    }
    canvas.grain(dice, 2.0);
}
