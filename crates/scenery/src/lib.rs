//! Files for a demonstration, made out of numbers: pictures, sounds, documents, a scanned room.
//!
//! This crate exists to contain the encoders of pictures (reason b), and it touches every byte of what it makes, so it is
//! compiled with optimisation where the domains above are not. It does no I/O, and the same seed gives the same bytes.
//!
//! - [`Scene`]: what a picture shows; [`Scene::draw`] gives a [`Canvas`], which is encoded as JPEG or PNG
//! - [`sound`]: chords as a WAV file
//! - [`document`]: text as a PDF
//! - [`scan`]: a point cloud as a PLY file, as large as is wanted

mod canvas;
mod dice;
mod figure;
mod floor;
mod font;
mod land;
mod pdf;
mod ply;
mod poster;
mod town;
mod wav;

pub use canvas::Canvas;
pub use dice::Dice;
pub use pdf::document;
pub use ply::scan;
pub use wav::{Voice, sound};

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scene {
    /// Hills in layers under a wide sky.
    Hills,
    /// The same beyond water that mirrors them.
    Shore,
    /// Houses against the evening, with lights in some windows.
    Town,
    /// A sheet of large shapes in few colours.
    Poster,
    /// A pattern of tiles.
    Tiles,
    /// Bars over months.
    Bars,
    /// Lines over hours.
    Lines,
    /// The plan of a floor, dark on white.
    Plan,
    /// The same as a blueprint.
    Blueprint,
}

impl Scene {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Hills,
        Self::Shore,
        Self::Town,
        Self::Poster,
        Self::Tiles,
        Self::Bars,
        Self::Lines,
        Self::Plan,
        Self::Blueprint,
    ];

    /// Draws it, as many pixels wide and high; at least 64 each way.
    pub fn draw(self, width: u32, height: u32, seed: u64) -> Canvas {
        let mut canvas = Canvas::new(width.max(64), height.max(64));
        let dice = &mut Dice::new(seed);
        match self {
            Self::Hills => land::draw(&mut canvas, dice, land::Front::Ground),
            Self::Shore => land::draw(&mut canvas, dice, land::Front::Water),
            Self::Town => town::draw(&mut canvas, dice),
            Self::Poster => poster::shapes(&mut canvas, dice),
            Self::Tiles => poster::tiles(&mut canvas, dice),
            Self::Bars => figure::bars(&mut canvas, dice),
            Self::Lines => figure::lines(&mut canvas, dice),
            Self::Plan => floor::draw(&mut canvas, dice, floor::Paper::White),
            Self::Blueprint => floor::draw(&mut canvas, dice, floor::Paper::Blue),
        }
        canvas
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_does_not() {
        for scene in Scene::ALL {
            let draw = |seed| scene.draw(160, 120, seed).png();
            assert_eq!(draw(7), draw(7), "{scene:?}");
            assert_ne!(draw(7), draw(8), "{scene:?}");
        }
    }

    #[test]
    fn what_was_drawn_can_be_decoded_and_is_no_plain_sheet() {
        for scene in Scene::ALL {
            for (width, height) in [(320, 200), (200, 320), (64, 64)] {
                let canvas = scene.draw(width, height, 3);
                for (bytes, format) in
                    [(canvas.jpeg(85), image::ImageFormat::Jpeg), (canvas.png(), image::ImageFormat::Png)]
                {
                    let decoded = image::load_from_memory_with_format(&bytes, format).expect("a picture").into_rgb8();
                    assert_eq!(decoded.dimensions(), (width, height), "{scene:?}");
                    let first = decoded.get_pixel(0, 0);
                    let others = decoded.pixels().filter(|pixel| *pixel != first).count();
                    assert!(others > 500, "{scene:?} shows nothing");
                }
            }
        }
    }
}
