//! zlib in Rust under the name flate2 asks for. See `Cargo.toml` for the reason.
//!
//! The functions are those of `libz-rs-sys`. The one difference: flate2 expects the allocator fields of `z_stream`
//! as plain function pointers, `libz-rs-sys` has them optional. `Option<fn>` has the layout of `fn`, so a pointer to
//! the one is a pointer to the other as long as both fields are set, and flate2 always sets them.
#![allow(non_camel_case_types, non_snake_case, clippy::missing_safety_doc, reason = "the names are those of the C library")]

use std::ffi::{c_char, c_int};

pub use libz_rs_sys::{
    Bytef, Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_STRATEGY, Z_DEFLATED, Z_FINISH, Z_FULL_FLUSH,
    Z_MEM_ERROR, Z_NEED_DICT, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_STREAM_END, Z_STREAM_ERROR,
    Z_SYNC_FLUSH, internal_state, uInt, uLong, voidpf, zlibVersion,
};

/// The stream state both sides share.
#[repr(C)]
pub struct z_stream {
    pub next_in: *mut Bytef,
    pub avail_in: uInt,
    pub total_in: uLong,
    pub next_out: *mut Bytef,
    pub avail_out: uInt,
    pub total_out: uLong,
    pub msg: *mut c_char,
    pub state: *mut internal_state,
    pub zalloc: unsafe extern "C" fn(voidpf, uInt, uInt) -> voidpf,
    pub zfree: unsafe extern "C" fn(voidpf, voidpf),
    pub opaque: voidpf,
    pub data_type: c_int,
    pub adler: uLong,
    pub reserved: uLong,
}

const _: () = assert!(size_of::<z_stream>() == size_of::<libz_rs_sys::z_stream>());

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        pub unsafe extern "C" fn $name(stream: *mut z_stream, $($argument: $kind),*) -> c_int {
            // SAFETY: same layout, see above; everything else is the caller's promise to zlib.
            unsafe { libz_rs_sys::$name(stream.cast(), $($argument),*) }
        }
    )*};
}

forward! {
    deflate(flush: c_int);
    deflateEnd();
    deflateReset();
    deflateParams(level: c_int, strategy: c_int);
    deflateSetDictionary(dictionary: *const Bytef, length: uInt);
    deflateInit2_(level: c_int, method: c_int, window_bits: c_int, memory_level: c_int, strategy: c_int, version: *const c_char, size: c_int);
    inflate(flush: c_int);
    inflateEnd();
    inflateReset2(window_bits: c_int);
    inflateSetDictionary(dictionary: *const Bytef, length: uInt);
    inflateInit2_(window_bits: c_int, version: *const c_char, size: c_int);
}
