//! Landscapes: a sky, a sun or a moon in its haze, clouds, and ridges one behind the other, perhaps beyond water.

use crate::{
    Canvas, Dice,
    canvas::{Colour, between, rgb},
    dice::{mix, noise, rough},
};

/// What is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    Ground,
    Water,
}

/// The colours of an hour.
struct Mood {
    /// Of the sky at the top.
    zenith: Colour,
    /// Of the sky where it meets the land, and of the farthest ridge.
    haze: Colour,
    /// Of the sun or the moon.
    light: Colour,
    /// Of the nearest ridge.
    near: Colour,
    /// Whether there are stars.
    stars: bool,
}

const MOODS: [Mood; 8] = [
    Mood { zenith: rgb(0x2b4c7e), haze: rgb(0xf6c89f), light: rgb(0xfff1d0), near: rgb(0x1d2436), stars: false },
    Mood { zenith: rgb(0x4f9bd9), haze: rgb(0xdcecf5), light: rgb(0xffffff), near: rgb(0x22432f), stars: false },
    Mood { zenith: rgb(0x37345f), haze: rgb(0xf08a6b), light: rgb(0xffd9a0), near: rgb(0x1a1428), stars: false },
    Mood { zenith: rgb(0x0b1230), haze: rgb(0x3d4f7d), light: rgb(0xf3f0dc), near: rgb(0x05080f), stars: true },
    Mood { zenith: rgb(0x8fb7c9), haze: rgb(0xeee6d5), light: rgb(0xfffbe8), near: rgb(0x3c4a3a), stars: false },
    Mood { zenith: rgb(0x6a5a8c), haze: rgb(0xf3c1c6), light: rgb(0xffeedd), near: rgb(0x2a2338), stars: false },
    Mood { zenith: rgb(0x2e7c8c), haze: rgb(0xf4dfb0), light: rgb(0xfff5cf), near: rgb(0x143036), stars: false },
    Mood { zenith: rgb(0x9aa8b4), haze: rgb(0xdfe3e6), light: rgb(0xf4f6f7), near: rgb(0x2f3a40), stars: false },
];

pub(crate) fn draw(canvas: &mut Canvas, dice: &mut Dice, front: Front) {
    let (width, height) = (canvas.width(), canvas.height());
    let mood = dice.pick(&MOODS);
    let horizon = match front {
        Front::Ground => height * dice.between(0.55, 0.7),
        Front::Water => height * dice.between(0.48, 0.6),
    };
    sky(canvas, dice, mood, horizon);
    ridges(canvas, dice, mood, horizon, front);
    if front == Front::Water {
        water(canvas, dice, mood, horizon);
    }
    let strength = dice.between(3.0, 6.0);
    canvas.grain(dice, strength * (width * height / 4.0e5).clamp(0.3, 1.0));
}

fn sky(canvas: &mut Canvas, dice: &mut Dice, mood: &Mood, horizon: f32) {
    let (width, height) = (canvas.width(), canvas.height());
    let (sun_x, sun_y) = (width * dice.between(0.15, 0.85), horizon * dice.between(0.25, 0.85));
    let radius = height * dice.between(0.02, 0.05);
    let reach = height * dice.between(0.35, 0.6);
    let clouds = dice.roll();
    let cover = dice.between(0.35, 0.62);
    for y in 0..height as i32 {
        let down = (y as f32 / horizon).min(1.0);
        let plain = between(mood.zenith, mood.haze, down.powf(1.4));
        // Clouds are long streaks, closer together towards the horizon.
        let layer = (y as f32 / height * 22.0).powf(1.1);
        let softness = (down * 0.8).min(0.6);
        // Clouds are wide: they are looked up at every eighth pixel, and drawn out between.
        let cloud = |x: i32| {
            let drift = x as f32 / height * 3.2;
            let streak = noise(clouds, drift + layer * 0.9) * 0.6
                + noise(clouds ^ 1, drift * 3.1 - layer * 1.7) * 0.3
                + noise(clouds ^ 2, layer * 1.3 + drift * 0.2) * 0.4;
            ((streak / 1.3 - cover) * 3.0).clamp(0.0, 1.0) * softness
        };
        let (mut left, mut right) = (0.0, cloud(0));
        for x in 0..width as i32 {
            if x % 8 == 0 {
                (left, right) = (right, cloud(x + 8));
            }
            let mut colour = between(plain, mood.light, left + (right - left) * (x % 8) as f32 / 8.0);
            let (dx, dy) = (x as f32 - sun_x, y as f32 - sun_y);
            let far = dx * dx + dy * dy;
            if far < reach * reach {
                let glow = 1.0 - far.sqrt() / reach;
                colour = between(colour, mood.light, glow * glow * 0.75);
            }
            canvas.blend(x, y, colour, 1.0);
        }
    }
    if mood.stars {
        for _ in 0..(width * horizon / 2500.0) as usize {
            let (x, y) = (dice.between(0.0, width), dice.between(0.0, horizon * 0.85));
            let size = dice.between(0.4, 1.3);
            canvas.disc(x, y, size, rgb(0xfdfbf0));
        }
    }
    canvas.disc(sun_x, sun_y, radius, mood.light);
}

fn ridges(canvas: &mut Canvas, dice: &mut Dice, mood: &Mood, horizon: f32, front: Front) {
    let (width, height) = (canvas.width(), canvas.height());
    let count = 4 + dice.below(4);
    let low = if front == Front::Water { horizon } else { height };
    for index in 0..count {
        let nearness = (index + 1) as f32 / count as f32;
        let base = match front {
            Front::Ground => horizon + (height * 0.93 - horizon) * nearness.powf(1.3),
            Front::Water => horizon,
        };
        let rise = match front {
            Front::Ground => height * (0.34 - 0.2 * nearness),
            Front::Water => height * (0.3 - 0.24 * nearness),
        };
        let seed = dice.roll();
        let wide = dice.between(1.2, 2.2) + nearness * 1.5;
        let octaves = if index + 1 == count { 7 } else { 5 };
        let colour = between(mood.haze, mood.near, nearness.powf(0.8));
        let top = |x: f32| base - rise * rough(seed, x / width * wide * (width / height), octaves);
        for x in 0..width as i32 {
            let edge = top(x as f32);
            let begin = edge.floor();
            for y in begin.max(0.0) as i32..low as i32 {
                // Mist lies in the valleys: every ridge grows paler downwards, the far ones most.
                let mist = ((y as f32 - edge) / (height * 0.25)).min(1.0) * (1.0 - nearness) * 0.55;
                let cover = if y as f32 == begin { 1.0 - (edge - begin) } else { 1.0 };
                canvas.blend(x, y, between(colour, mood.haze, mist), cover);
            }
        }
        if front == Front::Ground && index + 1 == count && dice.chance(75) {
            trees(canvas, dice, colour, top);
        }
    }
}

/// Firs along a line, darker than the ground they stand on.
fn trees(canvas: &mut Canvas, dice: &mut Dice, ground: Colour, top: impl Fn(f32) -> f32) {
    let (width, height) = (canvas.width(), canvas.height());
    let colour = between(ground, rgb(0x000000), 0.25);
    let mut x = -height * 0.02;
    while x < width {
        let tall = height * dice.between(0.025, 0.085);
        let foot = top(x) + height * 0.012;
        let half = tall * dice.between(0.16, 0.26);
        canvas.shape([x - half, foot - tall, x + half, foot], colour, |px, py| {
            let along = (py - (foot - tall)) / tall;
            // The edge of each whorl of branches is cut back a little.
            let comb = 0.75 + 0.25 * (along * 9.0).fract();
            if along < 0.0 { -1.0 } else { half * along * comb - (px - x).abs() }
        });
        x += if dice.chance(18) { height * dice.between(0.06, 0.2) } else { height * dice.between(0.008, 0.035) };
    }
}

/// Mirrors what is above the horizon, row by row, with ripples that grow towards the viewer.
fn water(canvas: &mut Canvas, dice: &mut Dice, mood: &Mood, horizon: f32) {
    let (width, height) = (canvas.width(), canvas.height());
    let seed = dice.roll();
    let tint = between(mood.zenith, mood.near, 0.45);
    for y in horizon as i32..height as i32 {
        let near = (y as f32 - horizon) / (height - horizon);
        let source = horizon - (y as f32 - horizon) * 0.9 - 1.0;
        for x in 0..width as i32 {
            let ripple = noise(seed, x as f32 / (6.0 + 70.0 * near) + y as f32 * (1.1 - 0.8 * near)) - 0.5;
            let shift = ripple * (2.0 + 26.0 * near);
            let colour = canvas.colour(x + shift as i32, (source + shift * 0.5).min(horizon - 1.0) as i32);
            let glint = noise(seed ^ mix(y as u64), x as f32 / (7.0 + 50.0 * near));
            let sparkle = if glint > 0.94 { 0.3 * (1.0 - near) } else { 0.0 };
            let seen = between(between(colour, tint, 0.25 + 0.3 * near), mood.light, sparkle);
            canvas.blend(x, y, seen, 1.0);
        }
    }
}
