use gemm::Parallelism;

/// A matrix in a slice, by rows or, transposed, by columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// `rows × cols` values in row order.
    pub(crate) fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} × {cols} matrix");
        Self {
            data,
            rows,
            cols,
            strides: [cols, 1],
        }
    }

    pub(crate) fn transposed(self) -> Self {
        let [row, col] = self.strides;
        Self {
            rows: self.cols,
            cols: self.rows,
            strides: [col, row],
            ..self
        }
    }
}

/// What a product does to the values that are already there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    Overwrite,
    Add,
}

/// `out = a·b` or `out += a·b`, by rows, on the calling thread.
pub(crate) fn matmul(out: &mut [f32], mode: Into, a: Matrix, b: Matrix) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert_eq!(k, b.rows, "inner dimensions of a product");
    assert_eq!(out.len(), m * n, "size of a product");
    #[expect(unsafe_code, reason = "the gemm crate has no safe interface")]
    // SAFETY: `Matrix` is made only by `new` (and `transposed`, which keeps the set of indices), so every index
    // i·strides[0] + j·strides[1] with i < rows and j < cols lies within its `data`; `out` holds m·n values by rows
    // as asserted above, and being `&mut` it overlaps neither operand.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            mode == Into::Add,
            a.data.as_ptr(),
            a.strides[1] as isize,
            a.strides[0] as isize,
            b.data.as_ptr(),
            b.strides[1] as isize,
            b.strides[0] as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
