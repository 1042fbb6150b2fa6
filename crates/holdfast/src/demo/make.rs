//! What is in a file of the story, and how its bytes are made.

use base::Time;
use scenery::{Dice, Scene, Voice};

use super::{
    tables::{self, Table},
    words::{self, Tongue},
};

/// Quality of photographs as JPEG.
const QUALITY: u8 = 91;

/// The contents of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Make {
    /// One of our texts, in an edition.
    Text(&'static str, u32, Tongue),
    /// A text as it is.
    Code(&'static str),
    /// Minutes of a meeting.
    Minutes(Tongue),
    /// A table, in an edition.
    Table(Table, u32),
    /// One of our texts as a PDF with a title.
    Pdf(&'static str, &'static str),
    /// A picture with its width and height, as JPEG.
    Photo(Scene, u32, u32),
    /// The same as PNG.
    Drawing(Scene, u32, u32),
    /// Chords, each so many tenths of a second long.
    Sound(&'static [&'static [i8]], u8, Voice),
    /// A scanned hall of so many points.
    Scan(usize),
}

/// How large pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pictures {
    Whole,
    /// Half as wide and high: a quarter of the work.
    Half,
}

impl Make {
    /// The bytes. The same seed and moment give the same.
    pub(super) fn bytes(self, seed: u64, at: Time, pictures: Pictures) -> Vec<u8> {
        let side = |pixels: u32| if pictures == Pictures::Half { pixels / 2 } else { pixels };
        let dice = &mut Dice::new(seed);
        match self {
            Self::Text(text, edition, tongue) => words::edition(text, edition, at, tongue).into_bytes(),
            Self::Code(text) => text.as_bytes().to_vec(),
            Self::Minutes(tongue) => words::minutes(at, tongue, dice).into_bytes(),
            Self::Table(table, edition) => tables::write(table, edition, dice).into_bytes(),
            Self::Pdf(title, text) => scenery::document(title, text),
            Self::Photo(scene, width, height) => scene.draw(side(width), side(height), seed).jpeg(QUALITY),
            Self::Drawing(scene, width, height) => scene.draw(side(width), side(height), seed).png(),
            Self::Sound(chords, tenths, voice) => scenery::sound(chords, f32::from(tenths) / 10.0, voice),
            Self::Scan(points) => scenery::scan(points, seed),
        }
    }
}

/// The seed of a file: another one for each path and each time that it is written.
pub(super) fn seed(path: &str, number: usize) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_bytes());
    hasher.update(&(number as u64).to_le_bytes());
    hasher.finalize().as_bytes()[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
