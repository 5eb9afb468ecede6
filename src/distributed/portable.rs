use faer::Mat;

/// What can travel between ranks: written as bytes, and read back to the same bits.
///
/// Ranks run the same program, so bytes carry no description of what they are.
pub trait Portable: Sized {
    /// Appends the value to `bytes`.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes a value from the beginning of `bytes`.
    ///
    /// # Panics
    /// If the bytes are too few, which means that ranks do not run the same code.
    fn read(bytes: &mut &[u8]) -> Self;

    /// Appends all `values`, without their number.
    fn write_all(values: &[Self], bytes: &mut Vec<u8>) {
        values.iter().for_each(|value| value.write(bytes));
    }

    /// Takes as many values as there are places from the beginning of `bytes`.
    ///
    /// # Panics
    /// If the bytes are too few.
    fn read_all(bytes: &mut &[u8], values: &mut [Self]) {
        values
            .iter_mut()
            .for_each(|value| *value = Self::read(bytes));
    }

    /// The value as bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// The value that [`Self::to_bytes`] has written.
    ///
    /// # Panics
    /// If the bytes are not those of one value.
    fn from_bytes(mut bytes: &[u8]) -> Self {
        let value = Self::read(&mut bytes);
        assert!(bytes.is_empty(), "a message is longer than its value");
        value
    }
}

/// Takes `count` bytes from the beginning of `bytes`.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    bytes
        .split_off(..count)
        .expect("a message is shorter than its value")
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Portable for $number {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_ne_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Self {
                let bytes = take(bytes, size_of::<Self>());
                Self::from_ne_bytes(bytes.try_into().expect("as many bytes as were taken"))
            }

            fn write_all(values: &[Self], bytes: &mut Vec<u8>) {
                let start = bytes.len();
                bytes.resize(start + size_of_val(values), 0);
                let places = bytes[start..].as_chunks_mut().0;
                for (place, value) in places.iter_mut().zip(values) {
                    *place = value.to_ne_bytes();
                }
            }

            fn read_all(bytes: &mut &[u8], values: &mut [Self]) {
                let bytes = take(bytes, size_of_val(values));
                for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = Self::from_ne_bytes(*bytes);
                }
            }
        }
    )*};
}

numbers!(u8, u32, u64, usize, i32, i64, f32, f64);

impl Portable for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn read(bytes: &mut &[u8]) -> Self {
        u8::read(bytes) != 0
    }
}

impl Portable for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Self {
        let text = Vec::read(bytes);
        String::from_utf8(text).expect("text that a rank has written is UTF-8")
    }
}

impl<T: Portable> Portable for Option<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.is_some().write(bytes);
        if let Some(value) = self {
            value.write(bytes);
        }
    }

    fn read(bytes: &mut &[u8]) -> Self {
        bool::read(bytes).then(|| T::read(bytes))
    }
}

impl<T: Portable, const N: usize> Portable for [T; N] {
    fn write(&self, bytes: &mut Vec<u8>) {
        T::write_all(self, bytes);
    }

    fn read(bytes: &mut &[u8]) -> Self {
        std::array::from_fn(|_| T::read(bytes))
    }
}

impl<T: Portable> Portable for Vec<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        T::write_all(self, bytes);
    }

    fn read(bytes: &mut &[u8]) -> Self {
        let count = usize::read(bytes);
        (0..count).map(|_| T::read(bytes)).collect()
    }
}

impl Portable for Mat<f64> {
    fn write(&self, bytes: &mut Vec<u8>) {
        (self.nrows(), self.ncols()).write(bytes);
        for column in self.col_iter() {
            column.iter().for_each(|value| value.write(bytes));
        }
    }

    fn read(bytes: &mut &[u8]) -> Self {
        let (rows, columns) = Portable::read(bytes);
        let mut matrix = Mat::zeros(rows, columns);
        for column in 0..columns {
            for row in 0..rows {
                matrix[(row, column)] = f64::read(bytes);
            }
        }
        matrix
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),*)),*) => {$(
        impl<$($name: Portable),*> Portable for ($($name,)*) {
            fn write(&self, bytes: &mut Vec<u8>) {
                $(self.$place.write(bytes);)*
            }

            fn read(bytes: &mut &[u8]) -> Self {
                ($($name::read(bytes),)*)
            }
        }
    )*};
}

tuples!((A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3), (A 0, B 1, C 2, D 3, E 4));

/// Makes a struct [`Portable`], field by field.
macro_rules! portable {
    ($name:ty { $($field:ident),* }) => {
        impl $crate::distributed::Portable for $name {
            fn write(&self, bytes: &mut Vec<u8>) {
                $(self.$field.write(bytes);)*
            }

            fn read(bytes: &mut &[u8]) -> Self {
                Self { $($field: $crate::distributed::Portable::read(bytes)),* }
            }
        }
    };
}

pub(crate) use portable;
