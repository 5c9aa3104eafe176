//! What is chosen by chance, where a seed says which: the same as Python's generator chooses.
//!
//! Without a seed it is refused: a catalog is the same each time that it is compiled.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use sha2::Digest as _;

use super::call::{Call, Filter, filter, integer};
use super::lists::items_or_letters;

pub(super) const FILTERS: &[Filter] = &[
    filter("random", &["start", "step", "seed"], random),
    filter("shuffle", &["seed"], shuffle),
];

/// Size of the state of the generator, and how far apart its words are mixed.
const WORDS: usize = 624;
const APART: usize = 397;

/// The Mersenne Twister as Python seeds and asks it, after Matsumoto and Nishimura.
struct Twister {
    words: Vec<u32>,
    place: usize,
}

impl Twister {
    fn new(seed: &[u32]) -> Self {
        let mut words = vec![19_650_218_u32; WORDS];
        for at in 1..WORDS {
            let before = words[at - 1] ^ (words[at - 1] >> 30);
            let number = u32::try_from(at).unwrap_or(0);
            words[at] = before.wrapping_mul(1_812_433_253).wrapping_add(number);
        }
        let (mut at, mut of_seed) = (1, 0);
        let advance = |words: &mut Vec<u32>, at: &mut usize| {
            *at += 1;
            if *at >= WORDS {
                words[0] = words[WORDS - 1];
                *at = 1;
            }
        };
        for _ in 0..WORDS.max(seed.len()) {
            let before = words[at - 1] ^ (words[at - 1] >> 30);
            let mixed = words[at] ^ before.wrapping_mul(1_664_525);
            let number = u32::try_from(of_seed).unwrap_or(0);
            words[at] = mixed.wrapping_add(seed[of_seed]).wrapping_add(number);
            of_seed = (of_seed + 1) % seed.len();
            advance(&mut words, &mut at);
        }
        for _ in 1..WORDS {
            let before = words[at - 1] ^ (words[at - 1] >> 30);
            let mixed = words[at] ^ before.wrapping_mul(1_566_083_941);
            words[at] = mixed.wrapping_sub(u32::try_from(at).unwrap_or(0));
            advance(&mut words, &mut at);
        }
        words[0] = 0x8000_0000;
        Self {
            words,
            place: WORDS,
        }
    }

    /// Thirty-two bits.
    fn next(&mut self) -> u32 {
        if self.place >= WORDS {
            for at in 0..WORDS {
                let both =
                    (self.words[at] & 0x8000_0000) | (self.words[(at + 1) % WORDS] & 0x7fff_ffff);
                let odd = if both & 1 == 1 { 0x9908_b0df } else { 0 };
                self.words[at] = self.words[(at + APART) % WORDS] ^ (both >> 1) ^ odd;
            }
            self.place = 0;
        }
        let mut word = self.words[self.place];
        self.place += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn bits(&mut self, count: u32) -> u64 {
        let low = self.next();
        match count {
            0 => 0,
            1..=32 => u64::from(low >> (32 - count)),
            _ => u64::from(low) | (u64::from(self.next() >> (64 - count)) << 32),
        }
    }

    /// A number below another.
    fn below(&mut self, end: u64) -> u64 {
        let count = u64::BITS - end.leading_zeros();
        loop {
            let number = self.bits(count);
            if number < end {
                return number;
            }
        }
    }
}

/// The generator of a call, by its seed.
fn seeded(call: &Call<'_, '_, '_>) -> Result<Twister, Error> {
    let Some(seed) = call.some("seed") else {
        return Err(call.advises(
            "needs a `seed`: a catalog is the same each time it is compiled",
            "give it one, such as the host's name: `random(seed=inventory_hostname)`",
        ));
    };
    call.steps(WORDS)?;
    let bytes = match (seed.as_str(), integer(seed)) {
        (Some(text), _) => {
            let digest = sha2::Sha512::digest(text);
            [text.as_bytes(), &digest].concat()
        }
        (None, Some(number)) => number.unsigned_abs().to_be_bytes().to_vec(),
        (None, None) => return Err(call.wrong("seed", "text or a whole number", seed)),
    };
    let words = bytes.rchunks(4);
    let words = words.map(|word| {
        word.iter()
            .fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
    });
    let mut words: Vec<u32> = words.collect();
    while words.len() > 1 && words.last() == Some(&0) {
        words.pop();
    }
    Ok(Twister::new(&words))
}

/// One item of a list, or a number below the one before the filter.
fn random(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let mut twister = seeded(call)?;
    let Some(end) = integer(&call.value) else {
        let items = items_or_letters(call, &call.value)?;
        if items.is_empty() {
            return Err(call.fails("there are no items to choose from"));
        }
        let place = twister.below(items.len() as u64);
        return Ok(items[usize::try_from(place).unwrap_or(0)].clone());
    };
    let (start, step) = (call.integer_or("start", 0)?, call.integer_or("step", 1)?);
    let width = i128::from(end) - i128::from(start);
    let step = if step == 0 { 1 } else { i128::from(step) };
    let sign = step.signum();
    let count = ((width + step - sign) * sign).div_euclid(step.abs());
    let count = u64::try_from(count).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| call.fails("there are no numbers to choose from"))?;
    let chosen = i128::from(start) + step * i128::from(twister.below(count));
    Ok(Value::from(chosen))
}

fn shuffle(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    if !matches!(
        call.value.kind(),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::String
    ) {
        return Ok(call.value.clone());
    }
    let mut twister = seeded(call)?;
    let mut items = items_or_letters(call, &call.value)?;
    for place in (1..items.len()).rev() {
        let other = twister.below(place as u64 + 1);
        items.swap(place, usize::try_from(other).unwrap_or(0));
    }
    Ok(Value::from(items))
}
