//! Plans of floors: rooms with walls, doors, windows, names and areas.

use crate::{
    Canvas, Dice,
    canvas::{Colour, between, rgb},
    font,
};

/// What it is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paper {
    White,
    Blue,
}

const ROOMS: [&str; 14] = [
    "HALL", "STUDIO", "OFFICE", "ARCHIVE", "FOYER", "GALLERY", "STORE", "KITCHEN", "WORKSHOP", "LIBRARY", "MEETING",
    "CLOAKS", "CAFE", "PLANT",
];

/// A room: left, top, width, height.
type Room = [f32; 4];

struct Pens {
    ground: Colour,
    wall: Colour,
    thin: Colour,
}

pub(crate) fn draw(canvas: &mut Canvas, dice: &mut Dice, paper: Paper) {
    let (width, height) = (canvas.width(), canvas.height());
    let pens = match paper {
        Paper::White => Pens { ground: rgb(0xfbfaf6), wall: rgb(0x22262b), thin: rgb(0xa8aeb5) },
        Paper::Blue => Pens { ground: rgb(0x14427a), wall: rgb(0xeaf3ff), thin: rgb(0x6f9bd0) },
    };
    canvas.fill(pens.ground);
    let grid = (width / 60.0).max(4.0);
    let faint = between(pens.ground, pens.thin, 0.22);
    let mut at = 0.0;
    while at < width.max(height) {
        canvas.rectangle(at, 0.0, 1.0, height, faint);
        canvas.rectangle(0.0, at, width, 1.0, faint);
        at += grid;
    }
    let house = [width * 0.1, height * 0.12, width * 0.8, height * 0.7];
    let mut rooms = Vec::new();
    split(dice, house, width.min(height) * 0.42, &mut rooms);
    let wall = (width / 220.0).max(2.0);
    for room in &rooms {
        outline(canvas, *room, wall, pens.wall);
    }
    for (index, room) in rooms.iter().enumerate() {
        door(canvas, dice, *room, wall, &pens);
        label(canvas, dice, *room, index, width, &pens);
    }
    outline(canvas, house, wall * 2.0, pens.wall);
    windows(canvas, dice, house, wall * 2.0, &pens);
    measures(canvas, house, wall, &pens);
    let dot = (width / 500.0).floor().max(1.0);
    let title = format!("LEVEL {}   1:{}", dice.below(4), [50, 100, 200][dice.below(3)]);
    font::write(canvas, house[0], height * 0.93, dot * 1.5, &title, pens.wall);
    font::write(canvas, width * 0.62, height * 0.93, dot, "MERIDIAN STUDIO", pens.wall);
}

/// Cuts a room in two until the pieces are small enough, or big enough by luck.
fn split(dice: &mut Dice, room: Room, small: f32, rooms: &mut Vec<Room>) {
    let [x, y, wide, tall] = room;
    if wide.max(tall) < small || (wide.max(tall) < small * 1.6 && dice.chance(25)) {
        rooms.push(room);
        return;
    }
    let part = dice.between(0.35, 0.65);
    let (first, second) = if wide > tall {
        ([x, y, wide * part, tall], [x + wide * part, y, wide * (1.0 - part), tall])
    } else {
        ([x, y, wide, tall * part], [x, y + tall * part, wide, tall * (1.0 - part)])
    };
    split(dice, first, small, rooms);
    split(dice, second, small, rooms);
}

fn outline(canvas: &mut Canvas, [x, y, wide, tall]: Room, wall: f32, colour: Colour) {
    let half = wall / 2.0;
    canvas.rectangle(x - half, y - half, wide + wall, wall, colour);
    canvas.rectangle(x - half, y + tall - half, wide + wall, wall, colour);
    canvas.rectangle(x - half, y - half, wall, tall + wall, colour);
    canvas.rectangle(x + wide - half, y - half, wall, tall + wall, colour);
}

/// A gap in the lower wall with the leaf and its swing.
fn door(canvas: &mut Canvas, dice: &mut Dice, [x, y, wide, tall]: Room, wall: f32, pens: &Pens) {
    let leaf = (wide.min(tall) * 0.28).min(canvas.width() * 0.06);
    let (left, low) = (x + (wide - leaf) * dice.between(0.2, 0.8), y + tall);
    canvas.rectangle(left, low - wall, leaf, wall * 2.0, pens.ground);
    canvas.line((left, low), (left, low - leaf), wall * 0.4, pens.wall);
    canvas.shape([left, low - leaf - 1.0, left + leaf + 1.0, low], pens.thin, |px, py| {
        wall * 0.2 - ((px - left).hypot(py - low) - leaf).abs()
    });
}

fn label(canvas: &mut Canvas, dice: &mut Dice, [x, y, wide, tall]: Room, index: usize, width: f32, pens: &Pens) {
    let name = dice.pick(&ROOMS);
    let area = format!("{:.1} M2", wide * tall / (width * width) * 620.0);
    let dot = (wide * 0.8 / font::width(name, 1.0)).min(width / 420.0).max(1.0).floor();
    let (cx, cy) = (x + wide / 2.0, y + tall * 0.42);
    font::centre(canvas, cx, cy, dot, name, pens.wall);
    font::centre(canvas, cx, cy + 11.0 * dot, dot, &area, pens.thin);
    font::write(canvas, x + 5.0 * dot, y + 5.0 * dot, dot, &(101 + index).to_string(), pens.thin);
}

/// Double lines in the outer walls.
fn windows(canvas: &mut Canvas, dice: &mut Dice, [x, y, wide, tall]: Room, wall: f32, pens: &Pens) {
    for _ in 0..6 {
        let (along, long) = (dice.between(0.05, 0.85), dice.between(0.05, 0.1));
        for (vertical, edge) in [(false, y), (false, y + tall), (true, x), (true, x + wide)] {
            if dice.chance(60) {
                let (left, top, w, h) = match vertical {
                    false => (x + wide * along, edge - wall / 2.0, wide * long, wall),
                    true => (edge - wall / 2.0, y + tall * along, wall, tall * long),
                };
                canvas.rectangle(left, top, w, h, pens.ground);
                let thin = wall * 0.2;
                match vertical {
                    false => canvas.rectangle(left, edge - thin / 2.0, w, thin, pens.wall),
                    true => canvas.rectangle(edge - thin / 2.0, top, thin, h, pens.wall),
                }
            }
        }
    }
}

/// The measure of the whole width, above.
fn measures(canvas: &mut Canvas, [x, y, wide, _]: Room, wall: f32, pens: &Pens) {
    let above = y - canvas.height() * 0.045;
    canvas.rectangle(x, above, wide, (wall * 0.3).max(1.0), pens.thin);
    for end in [x, x + wide] {
        canvas.line(
            (end - wall * 2.0, above + wall * 2.0),
            (end + wall * 2.0, above - wall * 2.0),
            wall * 0.5,
            pens.wall,
        );
    }
    let dot = (canvas.width() / 600.0).floor().max(1.0);
    font::centre(canvas, x + wide / 2.0, above - 7.0 * dot, dot, "24.80 M", pens.wall);
}
