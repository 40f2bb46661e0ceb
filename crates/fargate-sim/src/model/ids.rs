//! Seeded ids, so that the same calls give the same world.

/// A source of ids in the shapes that AWS uses (SplitMix64 underneath; not for secrets).
#[derive(Clone, Debug)]
pub struct Ids(u64);

impl Ids {
    /// The same seed gives the same ids in the same order.
    pub fn new(seed: u64) -> Ids {
        Ids(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `length` lower-case hex digits.
    pub fn hex(&mut self, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.bits()));
        }
        text.truncate(length);
        text
    }

    /// A UUID's shape.
    pub fn uuid(&mut self) -> String {
        let h = self.hex(32);
        format!(
            "{}-{}-4{}-a{}-{}",
            &h[..8],
            &h[8..12],
            &h[13..16],
            &h[17..20],
            &h[20..]
        )
    }

    /// A 19 digit number, as in `ecs-svc/1234567890123456789`.
    pub fn digits(&mut self) -> String {
        format!(
            "{:019}",
            self.bits() % 9_000_000_000_000_000_000 + 1_000_000_000_000_000_000
        )
    }
}
