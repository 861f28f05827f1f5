use std::f64::consts::TAU;

/// The program's own random numbers (splitmix64), the same for every framework.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A stream of its own for each `seed` and `name`.
    #[must_use]
    pub fn named(seed: u64, name: &str) -> Self {
        let mut rng = Self(seed);
        for byte in name.bytes() {
            rng.0 = rng.next() ^ u64::from(byte);
        }
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1].
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Kernels by He et al., *Delving Deep into Rectifiers* (2015), of a network whose parameters have torchvision's names: normal,
    /// variance 2 / inputs, row-major. The head starts at a tenth of that, so that all classes start out about equally
    /// likely. `None` for what begins as it is, such as the ones and zeros of a normalisation.
    #[must_use]
    pub fn initial(seed: u64, name: &str, shape: &[usize]) -> Option<Vec<f32>> {
        let gain = match (name, shape.len()) {
            (_, 4) => 2f64.sqrt(),
            (_, 2) => 0.1,
            ("fc.bias", _) => 0.0,
            _ => return None,
        };
        let inputs: usize = shape.iter().skip(1).product();
        let deviation = gain / (inputs as f64).sqrt();
        let mut rng = Self::named(seed, name);
        let values = (0..shape.iter().product()).map(|_| (deviation * rng.normal()) as f32);
        Some(values.collect())
    }

    /// Mean 0, variance 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_seed_and_name_alone() {
        let draw = |seed, name| Rng::named(seed, name).next();
        assert_eq!(draw(1, "conv1.weight"), draw(1, "conv1.weight"));
        assert_ne!(draw(1, "conv1.weight"), draw(2, "conv1.weight"));
        assert_ne!(draw(1, "conv1.weight"), draw(1, "fc.weight"));
    }

    #[test]
    fn normal_draws_have_mean_0_and_variance_1() {
        let mut rng = Rng::named(7, "normal");
        let draws: Vec<f64> = (0..50_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03,
            "mean {mean}, variance {variance}"
        );
    }
}
