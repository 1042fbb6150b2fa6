//! Charts: bars over months, and lines over the hours of a day.

use crate::{
    Canvas, Dice,
    canvas::{Colour, between, rgb},
    dice::rough,
    font,
};

const INK: Colour = rgb(0x2b2f36);
const RULE: Colour = rgb(0xd9dde2);
const SERIES: [Colour; 5] = [rgb(0x2f6fde), rgb(0xe8743b), rgb(0x2f9e77), rgb(0x945ecf), rgb(0xd64550)];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const TITLES: [&str; 6] =
    ["VISITORS", "PASSENGERS PER STOP", "HOURS BY TEAM", "PEOPLE IN COURTYARDS", "BUDGET - 1000 EUR", "READERS"];

/// Where the data goes: left, top, width, height, and the size of a dot of the captions.
struct Frame {
    left: f32,
    top: f32,
    wide: f32,
    tall: f32,
    dot: f32,
}

/// Draws paper, title, rules and their numbers up to `most`.
fn frame(canvas: &mut Canvas, title: &str, most: usize) -> Frame {
    let (width, height) = (canvas.width(), canvas.height());
    canvas.fill(rgb(0xfcfcfa));
    let dot = (width / 420.0).floor().max(1.0);
    let (left, top) = (width * 0.1, height * 0.18);
    let (wide, tall) = (width * 0.84, height * 0.66);
    font::write(canvas, left, height * 0.07, dot * 1.6, title, INK);
    for rule in 0..=4 {
        let y = top + tall * (4 - rule) as f32 / 4.0;
        canvas.rectangle(left, y, wide, dot.max(1.0), if rule == 0 { INK } else { RULE });
        let number = (most * rule / 4).to_string();
        font::write(canvas, left - font::width(&number, dot) - 4.0 * dot, y - 3.5 * dot, dot, &number, INK);
    }
    Frame { left, top, wide, tall, dot }
}

pub(crate) fn bars(canvas: &mut Canvas, dice: &mut Dice) {
    let title = *dice.pick(&TITLES);
    let most = 40 * (1 + dice.below(12));
    let Frame { left, top, wide, tall, dot } = frame(canvas, title, most);
    let groups = 6 + dice.below(7);
    let series = 1 + dice.below(3);
    let first = dice.below(12);
    let step = wide / groups as f32;
    let mut level = dice.between(0.35, 0.6);
    for group in 0..groups {
        level = (level + dice.between(-0.14, 0.18)).clamp(0.15, 0.92);
        let x = left + step * group as f32;
        for (index, colour) in SERIES.into_iter().enumerate().take(series) {
            let value = (level * (1.0 - 0.25 * index as f32) * dice.between(0.85, 1.05)).min(0.97);
            let bar = step * 0.7 / series as f32;
            let at = x + step * 0.15 + bar * index as f32;
            canvas.rectangle(at, top + tall * (1.0 - value), bar * 0.9, tall * value, colour);
        }
        font::centre(canvas, x + step / 2.0, top + tall + 8.0 * dot, dot, MONTHS[(first + group) % 12], INK);
    }
}

pub(crate) fn lines(canvas: &mut Canvas, dice: &mut Dice) {
    let title = *dice.pick(&TITLES);
    let most = 40 * (1 + dice.below(12));
    let Frame { left, top, wide, tall, dot } = frame(canvas, title, most);
    let series = 2 + dice.below(3);
    for (index, colour) in SERIES.into_iter().enumerate().take(series) {
        let seed = dice.roll();
        let (base, swing) = (dice.between(0.08, 0.3), dice.between(0.35, 0.6));
        let peak = dice.between(0.3, 0.7);
        let value = |t: f32| {
            let hill = (-((t - peak) * 3.2).powi(2)).exp();
            (base + swing * hill + 0.12 * (rough(seed, t * 14.0, 3) - 0.5)).clamp(0.0, 1.0)
        };
        let points: Vec<_> =
            (0..=96).map(|step| step as f32 / 96.0).map(|t| (left + wide * t, top + tall * (1.0 - value(t)))).collect();
        if index == 0 {
            let pale = between(colour, rgb(0xfcfcfa), 0.85);
            for x in left as i32..(left + wide) as i32 {
                let y = top + tall * (1.0 - value((x as f32 - left) / wide));
                canvas.rectangle(x as f32, y, 1.0, top + tall - y, pale);
            }
        }
        for pair in points.windows(2) {
            canvas.line(pair[0], pair[1], dot * 2.0, colour);
        }
    }
    for hour in (0..=24).step_by(4) {
        let x = left + wide * hour as f32 / 24.0;
        font::centre(canvas, x, top + tall + 8.0 * dot, dot, &format!("{hour}:00"), INK);
    }
}
