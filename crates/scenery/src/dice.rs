//! Numbers that look random and are the same for the same seed, in every build and on every machine.

/// The generator splitmix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// One that begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        // The high bits times the range: the bias is far below what anybody sees.
        ((u128::from(self.roll()) * end as u128) >> 64) as usize
    }

    /// A number of `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.roll() >> 40) as f32 / (1u32 << 24) as f32)
    }

    /// One of these, which are not none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Whether something happens that does so `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The finaliser of splitmix64: every bit of the input changes half of those of the output.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Smooth noise over a line, in `0..1`: values at whole numbers, eased between them.
pub(crate) fn noise(seed: u64, x: f32) -> f32 {
    // Without the processor's newer instructions `floor` is a call, and this is asked for every pixel.
    let cell = x as i32 as f32 - if x < 0.0 { 1.0 } else { 0.0 };
    let at = |step: i64| {
        let hash = mix(seed.wrapping_add((cell as i64 + step) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (hash >> 40) as f32 / (1u32 << 24) as f32
    };
    let t = x - cell;
    let eased = t * t * (3.0 - 2.0 * t);
    at(0) + (at(1) - at(0)) * eased
}

/// Several octaves of [`noise`], each twice as fine and half as strong, in `0..1`.
pub(crate) fn rough(seed: u64, x: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut scale, mut total) = (0.0, 1.0, 1.0, 0.0);
    for octave in 0..octaves {
        sum += weight * noise(seed ^ mix(u64::from(octave)), x * scale);
        total += weight;
        weight *= 0.5;
        scale *= 2.03;
    }
    sum / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_bounds() {
        let mut dice = Dice::new(1);
        for _ in 0..10_000 {
            assert!(dice.below(7) < 7);
            assert!((2.0..3.0).contains(&dice.between(2.0, 3.0)));
            let x = dice.between(-50.0, 50.0);
            assert!((0.0..=1.0).contains(&rough(9, x, 5)));
        }
    }

    #[test]
    fn the_series_is_a_contract() {
        // Of splitmix64 with seed 0, as its authors print it.
        let mut dice = Dice::new(0);
        assert_eq!([dice.roll(), dice.roll()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }
}
