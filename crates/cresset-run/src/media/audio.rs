use std::fmt;

use super::MediaError;

/// Sound, kept as a WAV file of 16-bit samples.
#[derive(Clone)]
pub struct Audio {
    samples: Samples,
    pub(super) sample_rate: u32,
    pub(super) channels: u16,
    pub(super) caption: Option<String>,
}

impl Audio {
    /// Samples in `-1..=1`, channels interleaved. What is outside is clamped; NaN is silence.
    ///
    /// `sample_rate` is in samples a second and channel.
    ///
    /// # Errors
    /// If the samples are not a whole number of frames, or are more than a WAV file can hold.
    pub fn from_f32(
        samples: impl Into<Vec<f32>>,
        sample_rate: u32,
        channels: u16,
    ) -> Result<Self, MediaError> {
        Self::new(Samples::F32(samples.into()), sample_rate, channels)
    }

    /// 16-bit samples, channels interleaved. `sample_rate` is in samples a second and channel.
    ///
    /// # Errors
    /// As [`from_f32`](Self::from_f32).
    pub fn from_i16(
        samples: impl Into<Vec<i16>>,
        sample_rate: u32,
        channels: u16,
    ) -> Result<Self, MediaError> {
        Self::new(Samples::I16(samples.into()), sample_rate, channels)
    }

    /// A line for people, shown under the sound.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    fn new(samples: Samples, sample_rate: u32, channels: u16) -> Result<Self, MediaError> {
        if header(samples.len(), sample_rate, channels).is_none() {
            return Err(MediaError::AudioFormat {
                samples: samples.len(),
                channels,
                sample_rate,
            });
        }
        if !samples.len().is_multiple_of(usize::from(channels)) {
            return Err(MediaError::AudioLength {
                samples: samples.len(),
                channels,
            });
        }
        Ok(Self {
            samples,
            sample_rate,
            channels,
            caption: None,
        })
    }

    pub(super) fn seconds(&self) -> f64 {
        let frames = self.samples.len() as f64 / f64::from(self.channels);
        frames / f64::from(self.sample_rate)
    }

    pub(super) fn bytes(&self) -> usize {
        let samples = match &self.samples {
            Samples::F32(samples) => size_of_val(&samples[..]),
            Samples::I16(samples) => size_of_val(&samples[..]),
        };
        samples + self.caption.as_ref().map_or(0, String::len)
    }

    /// A WAV file.
    pub(super) fn encode(&self) -> Result<Vec<u8>, MediaError> {
        let samples = self.samples.len();
        let header =
            header(samples, self.sample_rate, self.channels).ok_or(MediaError::AudioFormat {
                samples,
                channels: self.channels,
                sample_rate: self.sample_rate,
            })?;
        let mut out = Vec::with_capacity(header.len() + 2 * samples);
        out.extend_from_slice(&header);
        let mut push = |sample: i16| out.extend_from_slice(&sample.to_le_bytes());
        match &self.samples {
            // The cast takes NaN for 0.
            Samples::F32(samples) => samples
                .iter()
                .for_each(|s| push((s.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16)),
            Samples::I16(samples) => samples.iter().for_each(|&s| push(s)),
        }
        Ok(out)
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audio")
            .field("seconds", &self.seconds())
            .field("sample_rate", &self.sample_rate)
            .field("channels", &self.channels)
            .field("caption", &self.caption)
            .finish()
    }
}

#[derive(Clone)]
enum Samples {
    F32(Vec<f32>),
    I16(Vec<i16>),
}

impl Samples {
    fn len(&self) -> usize {
        match self {
            Self::F32(samples) => samples.len(),
            Self::I16(samples) => samples.len(),
        }
    }
}

const HEADER: usize = 44;

/// The head of a WAV file of 16-bit PCM: a RIFF chunk, a `fmt ` chunk of 16 bytes, the head of a `data` chunk.
/// Nothing if a field cannot hold its value.
fn header(samples: usize, sample_rate: u32, channels: u16) -> Option<[u8; HEADER]> {
    const SAMPLE: u16 = 2;
    const PCM: u16 = 1;
    if sample_rate == 0 || channels == 0 {
        return None;
    }
    let data = u32::try_from(samples).ok()?.checked_mul(SAMPLE.into())?;
    let riff = data.checked_add(HEADER as u32 - 8)?;
    let frame = channels.checked_mul(SAMPLE)?;
    let rate = sample_rate.checked_mul(frame.into())?;

    let mut header = [0; HEADER];
    let mut at = 0;
    let mut push = |field: &[u8]| {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    };
    push(b"RIFF");
    push(&riff.to_le_bytes());
    push(b"WAVE");
    push(b"fmt ");
    push(&16u32.to_le_bytes());
    push(&PCM.to_le_bytes());
    push(&channels.to_le_bytes());
    push(&sample_rate.to_le_bytes());
    push(&rate.to_le_bytes());
    push(&frame.to_le_bytes());
    push(&(8 * SAMPLE).to_le_bytes());
    push(b"data");
    push(&data.to_le_bytes());
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    fn u16_at(bytes: &[u8], at: usize) -> u16 {
        u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
    }

    #[test]
    fn the_file_is_a_wav() {
        let audio = Audio::from_i16([1, -1, 258, i16::MIN, 0, 7], 44_100, 2).unwrap();
        assert!((audio.seconds() - 3.0 / 44_100.0).abs() < 1e-12);
        let wav = audio.encode().unwrap();
        assert_eq!(wav.len(), 44 + 12);
        assert_eq!((&wav[..4], u32_at(&wav, 4)), (&b"RIFF"[..], 36 + 12));
        assert_eq!(&wav[8..16], b"WAVEfmt ");
        assert_eq!((u32_at(&wav, 16), u16_at(&wav, 20)), (16, 1));
        assert_eq!((u16_at(&wav, 22), u32_at(&wav, 24)), (2, 44_100));
        assert_eq!((u32_at(&wav, 28), u16_at(&wav, 32)), (176_400, 4));
        assert_eq!((u16_at(&wav, 34), &wav[36..40]), (16, &b"data"[..]));
        assert_eq!(u32_at(&wav, 40), 12);
        assert_eq!(wav[44..], [1, 0, 255, 255, 2, 1, 0, 128, 0, 0, 7, 0]);
    }

    #[test]
    fn floats_fill_the_range_and_no_more() {
        let samples = [0.0, 1.0, -1.0, 0.5, 9.0, f32::NEG_INFINITY, f32::NAN];
        let wav = Audio::from_f32(samples, 8_000, 1)
            .unwrap()
            .encode()
            .unwrap();
        let found: Vec<i16> = wav[44..]
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| i16::from_le_bytes(*b))
            .collect();
        assert_eq!(found, [0, 32767, -32767, 16384, 32767, -32767, 0]);
    }

    #[test]
    fn what_no_file_holds_is_refused() {
        for (samples, sample_rate, channels, said) in [
            (3, 8_000, 2, "3 samples are not a whole number"),
            (2, 0, 1, "at 0 Hz"),
            (2, 8_000, 0, "in 0 channels"),
            (40_000, 8_000, 40_000, "in 40000 channels"),
            (2, u32::MAX, 2, "at 4294967295 Hz"),
        ] {
            let error = Audio::from_i16(vec![0; samples], sample_rate, channels).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert!(!error.is_storage());
        }
        assert!(header(usize::MAX, 8_000, 1).is_none());
        assert!(header((u32::MAX / 2) as usize, 8_000, 1).is_none());
    }
}
