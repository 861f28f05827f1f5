//! One column of numbers, compressed with pco in pages that can be read one by one.

use pco::data_types::Number;
use pco::wrapped::{ChunkDecompressor, FileCompressor, FileDecompressor};
use pco::{ChunkConfig, PagingSpec};

use super::PAGE;
use crate::error::StoreError;
use crate::varint::{self, Taker};

/// Measured (`NOTES-storage.md`): higher levels cost twice and more of the time for one percent of the size.
const LEVEL: usize = 4;
/// Fewer numbers than this are kept as they are: what describes the compression would be longer.
const RAW_BELOW: usize = 24;

/// Numbers that have a fixed form of eight or four bytes.
pub(super) trait Plain: Number + Default {
    const BYTES: usize;
    fn put(self, out: &mut Vec<u8>);
    fn take(bytes: &[u8]) -> Option<Self>;
}

macro_rules! plain {
    ($($number:ty),*) => {$(
        impl Plain for $number {
            const BYTES: usize = size_of::<Self>();
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn take(bytes: &[u8]) -> Option<Self> {
                bytes.first_chunk().map(|b| Self::from_le_bytes(*b))
            }
        }
    )*};
}
plain!(f32, f64, u32, u64, i64);

/// Appends what describes the compression to `meta` (length first), and gives the pages.
pub(super) fn encode<T: Plain>(
    numbers: &[T],
    meta: &mut Vec<u8>,
) -> Result<Vec<Vec<u8>>, StoreError> {
    if numbers.len() < RAW_BELOW {
        varint::put(meta, 0);
        let mut page = Vec::with_capacity(numbers.len() * T::BYTES);
        for &number in numbers {
            number.put(&mut page);
        }
        return Ok(vec![page]);
    }
    let lengths = numbers.chunks(PAGE).map(<[T]>::len).collect();
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_paging_spec(PagingSpec::Exact(lengths));
    let file = FileCompressor::default();
    let mut chunk = file.chunk_compressor(numbers, &config).map_err(failed)?;
    let mut described = file.write_header(Vec::new()).map_err(failed)?;
    described = chunk.write_meta(described).map_err(failed)?;
    varint::put(meta, described.len() as u64);
    meta.extend_from_slice(&described);
    let count = chunk.n_per_page().len();
    let mut pages = Vec::with_capacity(count);
    for page in 0..count {
        let out = Vec::with_capacity(chunk.page_size_hint(page));
        pages.push(chunk.write_page(page, out).map_err(failed)?);
    }
    Ok(pages)
}

/// Reads pages of a column.
#[derive(Debug)]
pub(super) struct Reader<T: Plain> {
    /// `None` where numbers are as they are.
    chunk: Option<ChunkDecompressor<T>>,
}

impl<T: Plain> Reader<T> {
    /// Takes the description off the beginning of `head`.
    pub(super) fn new(head: &mut Taker<'_>) -> Result<Self, StoreError> {
        let n = head.count()?;
        let described = head.bytes(n)?;
        if n == 0 {
            return Ok(Self { chunk: None });
        }
        let (file, rest) = FileDecompressor::new(described).map_err(failed)?;
        let (chunk, _) = file.chunk_decompressor(rest).map_err(failed)?;
        Ok(Self { chunk: Some(chunk) })
    }

    /// Appends the `n` numbers of a page to `out`.
    pub(super) fn read(
        &mut self,
        page: &[u8],
        n: usize,
        out: &mut Vec<T>,
    ) -> Result<(), StoreError> {
        let Some(chunk) = &mut self.chunk else {
            let numbers = page.chunks_exact(T::BYTES).filter_map(T::take).take(n);
            let before = out.len();
            out.extend(numbers);
            return (out.len() == before + n)
                .then_some(())
                .ok_or_else(|| varint::damaged("a page"));
        };
        let at = out.len();
        out.resize(at + n, T::default());
        let mut page = chunk.page_decompressor(page, n).map_err(failed)?;
        page.read(&mut out[at..]).map_err(failed)?;
        Ok(())
    }
}

fn failed(error: pco::errors::PcoError) -> StoreError {
    StoreError::Engine(format!(
        "a chunk in the index: {error}; `cresset index rebuild` makes it anew"
    ))
}
