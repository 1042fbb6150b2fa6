//! Sounds: chords of struck strings, as a WAV file.

use std::f32::consts::TAU;

/// Samples of a second; half of what a compact disc has, which is plenty for this.
const RATE: u32 = 22_050;

/// How a tone sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// Struck, and fading.
    Bell,
    /// Swelling and staying.
    Organ,
}

/// Chords one after another, each `seconds` long, in 16 bits and one channel. A chord is tones by their distance from
/// middle A (440 Hz) in semitones.
pub fn sound(chords: &[&[i8]], seconds: f32, voice: Voice) -> Vec<u8> {
    let each = (seconds.max(0.05) * RATE as f32) as usize;
    // A tone goes on into the next chord, and the last one needs its end.
    let total = each * chords.len() + RATE as usize;
    let mut samples = vec![0.0_f32; total];
    for (index, chord) in chords.iter().enumerate() {
        for (place, tone) in chord.iter().enumerate() {
            let frequency = 440.0 * (f32::from(*tone) / 12.0).exp2();
            // Strings of a chord are struck one shortly after the other.
            let begin = index * each + place * RATE as usize / 40;
            let long = (each + RATE as usize / 2).min(total.saturating_sub(begin));
            for step in 0..long {
                let t = step as f32 / RATE as f32;
                let wave = |harmonic: f32| (TAU * frequency * harmonic * t).sin();
                let (level, value) = match voice {
                    Voice::Bell => {
                        ((-2.2 * t).exp(), wave(1.0) + 0.5 * wave(2.0) * (-4.0 * t).exp() + 0.2 * wave(3.01))
                    }
                    Voice::Organ => ((t * 4.0).min(1.0), 0.8 * wave(1.0) + 0.35 * wave(2.0) + 0.15 * wave(4.0)),
                };
                let left = (long - step) as f32 / (RATE as f32 * 0.3);
                samples[begin + step] += value * level * left.min(1.0);
            }
        }
    }
    let loudest = samples.iter().fold(1e-6_f32, |most, sample| most.max(sample.abs()));
    let data = samples.into_iter().flat_map(|sample| ((sample / loudest * 26_000.0) as i16).to_le_bytes());
    let mut file = header(total as u32 * 2);
    file.extend(data);
    file
}

/// The 44 bytes before the samples of a file in PCM.
fn header(bytes: u32) -> Vec<u8> {
    let mut head = Vec::with_capacity(44 + bytes as usize);
    head.extend(b"RIFF");
    head.extend((36 + bytes).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    head.extend([1, 0, 1, 0]);
    head.extend(RATE.to_le_bytes());
    head.extend((RATE * 2).to_le_bytes());
    // Two bytes a frame, sixteen bits a sample.
    head.extend([2, 0, 16, 0]);
    head.extend(b"data");
    head.extend(bytes.to_le_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_truth() {
        let file = sound(&[&[0, 4, 7], &[-3, 0, 5]], 0.5, Voice::Bell);
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
        assert_eq!((&file[..4], &file[8..16], &file[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
        assert_eq!((number(4) as usize + 8, number(40) as usize + 44), (file.len(), file.len()));
        assert_eq!((number(24), number(28)), (RATE, RATE * 2));
        let loudest =
            file[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs()).max();
        assert!(loudest.is_some_and(|loudest| (25_000..30_000).contains(&loudest)), "{loudest:?}");
        assert_eq!(file, sound(&[&[0, 4, 7], &[-3, 0, 5]], 0.5, Voice::Bell));
    }
}
