//! A town at dusk: rows of houses, the nearer the darker, with lights in some windows.

use crate::{
    Canvas, Dice,
    canvas::{Colour, between, rgb},
};

const SKIES: [[Colour; 3]; 5] = [
    [rgb(0x1b2a4a), rgb(0xd9775b), rgb(0x141826)],
    [rgb(0x27364f), rgb(0xf0b67f), rgb(0x1c1f2e)],
    [rgb(0x3a6ea5), rgb(0xf2e3cf), rgb(0x2c3440)],
    [rgb(0x432c51), rgb(0xe8a0a0), rgb(0x1e1526)],
    [rgb(0x0f1a2b), rgb(0x476a86), rgb(0x080c14)],
];

const LAMPS: [Colour; 3] = [rgb(0xffd98a), rgb(0xffe9b8), rgb(0xffc46b)];

pub(crate) fn draw(canvas: &mut Canvas, dice: &mut Dice) {
    let (width, height) = (canvas.width(), canvas.height());
    let [top, haze, near] = *dice.pick(&SKIES);
    for y in 0..height as i32 {
        let colour = between(top, haze, (y as f32 / (height * 0.75)).powf(1.3));
        for x in 0..width as i32 {
            canvas.blend(x, y, colour, 1.0);
        }
    }
    let (moon_x, moon_y) = (width * dice.between(0.1, 0.9), height * dice.between(0.08, 0.3));
    canvas.disc(moon_x, moon_y, height * 0.035, between(haze, rgb(0xffffff), 0.7));
    let rows = 4;
    for row in 0..rows {
        let nearness = (row + 1) as f32 / rows as f32;
        let colour = between(haze, near, nearness.powf(0.7));
        let mut x = -dice.between(0.0, width * 0.05);
        while x < width {
            let wide = height * dice.between(0.06, 0.14) * (0.6 + 0.6 * nearness);
            let tall = height * (dice.between(0.22, 0.55) - 0.16 * nearness + 0.08);
            house(canvas, dice, [x, height * (0.62 + 0.14 * nearness) - tall, wide], colour, nearness);
            x += wide * dice.between(0.92, 1.12);
        }
    }
    canvas.grain(dice, 3.5);
}

/// One house from its roof down to the lower edge of the picture.
fn house(canvas: &mut Canvas, dice: &mut Dice, [x, y, wide]: [f32; 3], colour: Colour, nearness: f32) {
    let height = canvas.height();
    let colour = between(colour, rgb(0xffffff), dice.between(0.0, 0.05));
    canvas.rectangle(x, y, wide, height - y, colour);
    match dice.below(4) {
        0 => {
            let peak = wide * dice.between(0.3, 0.6);
            canvas.shape([x, y - peak, x + wide, y], colour, |px, py| {
                let along = (py - (y - peak)) / peak;
                wide / 2.0 * along - (px - x - wide / 2.0).abs()
            });
        }
        1 => canvas.rectangle(x + wide * 0.25, y - wide * 0.16, wide * 0.5, wide * 0.17, colour),
        2 => canvas.rectangle(x + wide * 0.7, y - wide * 0.3, wide * 0.06, wide * 0.31, colour),
        _ => {}
    }
    let columns = 3 + dice.below(4);
    let pitch = wide / columns as f32;
    let lit = if nearness > 0.4 { 22 } else { 8 };
    let dark = between(colour, rgb(0x000000), 0.22);
    let mut row = y + pitch * 0.6;
    while row < height {
        for column in 0..columns {
            let window = if dice.chance(lit) { between(*dice.pick(&LAMPS), colour, 0.15) } else { dark };
            canvas.rectangle(x + pitch * (column as f32 + 0.28), row, pitch * 0.44, pitch * 0.6, window);
        }
        row += pitch * 1.25;
    }
}
